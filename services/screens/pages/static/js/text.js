const texts = JSON.parse(document.getElementById("texts").textContent);

export const lang = document.documentElement.lang;

/** The text at `path` ("period.month"), its {holes} filled; undefined when there is none. */
export function text(path, values = {}) {
  const keys = Array.isArray(path) ? path : path.split(".");
  const found = keys.reduce((level, key) => level?.[key], texts);
  return typeof found === "string" ? found.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "") : undefined;
}

export const unitName = (unit) => text(["units", unit]) ?? unit ?? "";

/** What a node is called in the language of the page, as far as its document says. */
export const called = (node) => (lang === "en" && node?.name_en) || node?.name;

const formats = {
  whole: new Intl.NumberFormat(lang, { maximumFractionDigits: 0 }),
  short: new Intl.NumberFormat(lang, { notation: "compact", maximumSignificantDigits: 3 }),
  exact: new Intl.NumberFormat(lang, { maximumFractionDigits: 2 }),
};

export const short = (value) => formats.short.format(value);
export const whole = (value) => formats.whole.format(value);
export const exact = (value) => (typeof value === "number" ? formats.exact.format(value) : text("none"));
