"""The people that events are about, as the store knows them: by pseudonyms and by nothing else."""

from services.common.people.choice import choose_key
from services.common.people.key import PersonKey
from services.common.people.pseudonyms import DOMAINS, ERASED_MARK, LENGTH, hashed
from services.common.people.record import Mode, NamesRecord

__all__ = ["DOMAINS", "ERASED_MARK", "LENGTH", "Mode", "NamesRecord", "PersonKey", "choose_key", "hashed"]
