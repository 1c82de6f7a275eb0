"""`python -m services.ingest.scan` compiles what ingest would compile at its first start."""

from services.ingest.runs import prepare

if __name__ == "__main__":
    prepare()
