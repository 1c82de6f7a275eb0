import { words } from "./words.ts";

/** What the page says as a whole. */
export const PAGE = words({
  en: {
    "app.title": "War room",
    "app.loading": "Connecting to the war room…",
    "app.noCampaign": "No campaign yet. It appears here with its first event.",
    "app.unknownCampaign": "There is no campaign “{id}”. Choose another above.",

    "note.label": "About this data",

    "empty": "No data yet",
  },
  zh: {
    "app.title": "战情室",
    "app.loading": "正在连接战情室…",
    "app.noCampaign": "暂无活动，收到第一个事件后将在此显示。",
    "app.unknownCampaign": "活动“{id}”不存在，请在上方另选。",

    "note.label": "数据说明",

    "empty": "暂无数据",
  },
});
