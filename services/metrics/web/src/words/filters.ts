import { words } from "./words.ts";

/** What is looked at: filters, hidden figures, keys. */
export const FILTERS = words({
  en: {
    "crumbs.label": "Filters",
    "crumbs.all": "All events",
    "crumbs.remove": "Remove the filter {filter}",
    "crumbs.partial": "What cannot be filtered by this is a dash.",

    "dimension.channel": "Channel",
    "dimension.region": "Region",
    "dimension.item_id": "Item",
    "dimension.item_category": "Category",
    "dimension.utm_source": "Source",
    "dimension.device_category": "Device",
    "dimension.phase": "Phase",
    "dimension.customer_type": "Customers",

    "hide.on": "Hide figures",
    "hide.off": "Show figures",
    "hide.notice": "Figures hidden",

    "keys.title": "Keys",
    "keys.help": "This list",
    "keys.language": "中文 / English",
    "keys.theme": "Light or dark",
    "keys.hide": "Hide or show figures",
    "keys.campaign": "Choose a campaign",
    "keys.back": "One step back: the comparison, then the last filter",
  },
  zh: {
    "crumbs.label": "筛选条件",
    "crumbs.all": "全部事件",
    "crumbs.remove": "移除筛选 {filter}",
    "crumbs.partial": "无法按此筛选的数字显示为横线。",

    "dimension.channel": "渠道",
    "dimension.region": "地区",
    "dimension.item_id": "商品",
    "dimension.item_category": "品类",
    "dimension.utm_source": "来源",
    "dimension.device_category": "设备",
    "dimension.phase": "阶段",
    "dimension.customer_type": "新老客",

    "hide.on": "隐藏数字",
    "hide.off": "显示数字",
    "hide.notice": "数字已隐藏",

    "keys.title": "快捷键",
    "keys.help": "本列表",
    "keys.language": "中文 / English",
    "keys.theme": "浅色或深色",
    "keys.hide": "隐藏或显示数字",
    "keys.campaign": "选择活动",
    "keys.back": "后退一步：先关闭对比，再移除最后一个筛选",
  },
});
