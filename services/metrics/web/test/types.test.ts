import { expectTypeOf, it } from "vitest";
import type * as api from "../src/api/schema.ts";
import type { AlertDetail, Silence } from "../src/alerts/model.ts";
import type { MomentSnapshot } from "../src/core/moment.ts";
import type { Alert, Campaign, CatalogueRow, Overview, Snapshot } from "../src/feed/types.ts";

// Judged by `npm run check`: what the page reads is what the OpenAPI document promises, by name and by kind.
it("reads no more than is promised", () => {
  expectTypeOf<api.Snapshot>().toExtend<Snapshot>();
  expectTypeOf<api.Snapshot>().toExtend<MomentSnapshot>();
  expectTypeOf<api.Overview>().toExtend<Overview>();
  expectTypeOf<api.CampaignRow>().toExtend<Campaign>();
  expectTypeOf<api.FeedAlert>().toExtend<Alert>();
  expectTypeOf<api.Alert>().toExtend<Alert>();
  expectTypeOf<api.AlertDetail>().toExtend<AlertDetail>();
  expectTypeOf<api.Silence>().toExtend<Silence>();
  expectTypeOf<api.CatalogueRow>().toExtend<CatalogueRow>();
});
