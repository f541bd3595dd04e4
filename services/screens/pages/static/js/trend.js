import { make } from "./dom.js";
import { exact, text, unitName } from "./text.js";
import * as time from "./time.js";

const NS = "http://www.w3.org/2000/svg";
const chart = document.getElementById("chart");
const sum = (values) => values.reduce((total, value) => total + (value ?? 0), 0);

function svg(tag, attributes, words) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (words !== undefined) element.textContent = words;
  return element;
}

/** The hours worth drawing: a working day at least, and every hour in which something happened. */
function hours(trend) {
  const busy = [...Array(24).keys()].filter((hour) => trend.today[hour] || trend.before[hour]);
  const [first, last] = [Math.min(8, ...busy), Math.max(18, ...busy)];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** An even number just above, so that the scale stays put while the day goes on. */
function ceiling(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= Math.max(4, most)) ?? 4;
}

function draw(trend) {
  const em = Number.parseFloat(getComputedStyle(chart).fontSize);
  const [width, height, left] = [chart.clientWidth, chart.clientHeight, em * 2.6];
  const floor = height - em * 1.7;
  if (floor <= 0) return; // not laid out yet; the observer comes back
  const shown = hours(trend);
  const top = ceiling(Math.max(0, ...trend.today, ...trend.before));
  const slot = (width - left) / shown.length;
  const y = (value) => floor - (value / top) * (floor - em * 0.6);
  const bar = (name, value, x, part) => svg("rect", {
    class: name, x: x + (slot * (1 - part)) / 2, width: slot * part, y: y(value), height: floor - y(value), rx: em * 0.2,
  });
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}` });
  for (const value of [0, top / 2, top]) {
    picture.append(svg("line", { class: "rule", x1: left, x2: width, y1: y(value), y2: y(value) }));
    picture.append(svg("text", { class: "scale", x: left - em * 0.7, y: y(value) + em * 0.35 }, exact(value)));
  }
  for (const [index, hour] of shown.entries()) {
    const x = left + index * slot;
    if (trend.before[hour]) picture.append(bar("before", trend.before[hour], x, 0.72));
    if (trend.today[hour]) picture.append(bar("now", trend.today[hour], x, 0.4));
    picture.append(svg("text", { class: "hour", x: x + slot / 2, y: height - em * 0.3 }, String(hour)));
  }
  chart.replaceChildren(picture);
}

/** Only whole hours are compared: the running one is not over yet. */
function comparison(trend) {
  const hour = time.hour(time.now());
  const before = sum(trend.before.slice(0, hour));
  if (before === 0) return "";
  const percent = Math.round((sum(trend.today.slice(0, hour)) / before - 1) * 100);
  return text("trend.compared", { hour, percent: `${percent < 0 ? "−" : "+"}${Math.abs(percent)}%` });
}

function showLegend(trend, before, unit) {
  const entry = (name, words) => make("span", name, words);
  const quantityOf = (label, values) => text("trend.sum", { label, value: exact(sum(values)), unit });
  document.getElementById("trend-legend").replaceChildren(
    entry("key-now", quantityOf(text("trend.now"), trend.today)), entry("key-before", quantityOf(before, trend.before)), entry("", comparison(trend)));
}

function showTable(trend, before) {
  const head = (scope, words) => Object.assign(make("th", "", words), { scope });
  const rows = hours(trend).map((hour) => make("tr", "", head("row", String(hour)), make("td", "", exact(trend.today[hour])), make("td", "", exact(trend.before[hour]))));
  document.getElementById("trend-table").replaceChildren(make("caption", "", text("trend.caption")),
    make("thead", "", make("tr", "", head("col", text("trend.hour")), head("col", text("trend.now")), head("col", before))),
    make("tbody", "", ...rows));
}

let standing = "";
let shown = null;

export function showTrend(document_) {
  const trend = document_.trend;
  const content = JSON.stringify([trend, time.hour(time.now())]);
  if (!trend || content === standing) return;
  standing = content;
  shown = trend; // for redrawing when the space changes
  const before = text("trend.last", { weekday: time.weekday(trend.before_day) });
  draw(trend);
  showLegend(trend, before, unitName(document_.all.services_delivered?.unit ?? "次"));
  showTable(trend, before);
}

new ResizeObserver(() => { if (shown) draw(shown); }).observe(chart);
