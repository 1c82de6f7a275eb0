import { words } from "./words.ts";

/** The time bar and the replay. */
export const TIME = words({
  en: {
    "fresh.replay": "Replay",

    "time.label": "Time",
    "time.slider": "Moment shown",
    "time.live": "Live",
    "time.goLive": "Go live",
    "time.play": "Play",
    "time.pause": "Pause",
    "time.hold": "Hold this picture",
    "time.speed": "Speed",
    "time.times": "{speed}×",
    "time.paused": "paused",
    "time.replay": "REPLAY",
    "time.notLive": "Not live: numbers of {moment}",
    "time.seeking": "Fetching {moment} …",
    "time.failed": "No answer from the server; the picture stands. It is asked again.",
    "time.refused": "This moment cannot be shown: {why}",
    "time.firing": "Live now: {count} firing",
    "time.watermark": "Complete to {time}",
    "time.alerts": "{count} alerts: {rules}",

    "keys.play": "Hold the picture, or play and pause a replay",
    "keys.live": "Back to the live picture",
    "keys.earlier": "10 seconds earlier",
    "keys.later": "10 seconds later",
  },
  zh: {
    "fresh.replay": "回放",

    "time.label": "时间",
    "time.slider": "显示的时刻",
    "time.live": "实时",
    "time.goLive": "回到实时",
    "time.play": "播放",
    "time.pause": "暂停",
    "time.hold": "定格当前画面",
    "time.speed": "速度",
    "time.times": "{speed} 倍",
    "time.paused": "已暂停",
    "time.replay": "回放",
    "time.notLive": "非实时：{moment} 的数字",
    "time.seeking": "正在读取 {moment} …",
    "time.failed": "服务器没有应答，画面停在原处，正在重试。",
    "time.refused": "无法显示这一时刻：{why}",
    "time.firing": "实时：{count} 个告警触发中",
    "time.watermark": "数据完整至 {time}",
    "time.alerts": "{count} 个告警：{rules}",

    "keys.play": "定格画面；回放时播放或暂停",
    "keys.live": "回到实时画面",
    "keys.earlier": "后退 10 秒",
    "keys.later": "前进 10 秒",
  },
});
