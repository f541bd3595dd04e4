import { lang, text } from "./text.js";

const format = (options) => new Intl.DateTimeFormat(lang, { timeZone: "Asia/Shanghai", hourCycle: "h23", ...options });
const forms = {
  second: format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  minute: format({ hour: "2-digit", minute: "2-digit" }),
  date: format({ month: "long", day: "numeric", weekday: "long" }),
  short: format({ month: "numeric", day: "numeric" }),
  brief: format({ month: "short", day: "numeric", weekday: "short" }),
  weekday: format({ weekday: "short" }),
  hour: format({ hour: "2-digit" }),
};

let ahead = 0; // of the server's clock over this machine's, ms

export const setNow = (now) => { ahead = new Date(now) - Date.now(); };
export const now = () => new Date(Date.now() + ahead);
export const toServer = (time) => new Date(time.getTime() + ahead);

export const seconds = (time) => forms.second.format(time);
export const date = (time) => forms.date.format(time);
export const weekday = (day) => forms.weekday.format(new Date(`${day}T12:00:00+08:00`));
export const hour = (time) => Number.parseInt(forms.hour.format(time), 10);

/** 10:32, or 11/20 10:32 when that is not today. */
export function minutes(time) {
  const at = new Date(time);
  const clock = forms.minute.format(at);
  const day = forms.short.format(at);
  return day === forms.short.format(now()) ? clock : `${day} ${clock}`;
}

/** How long ago, in one unit: 18 分, 3 小时, 2 天. */
export function span(time) {
  const passed = Math.max(0, Math.floor((now() - new Date(time)) / 60_000));
  if (passed < 60) return text("fresh.minutes", { n: passed });
  if (passed < 48 * 60) return text("fresh.hours", { n: Math.floor(passed / 60) });
  return text("fresh.days", { n: Math.floor(passed / 1440) });
}

export const brief = (time) => forms.brief.format(time);
export const clock = (time) => forms.minute.format(time);
