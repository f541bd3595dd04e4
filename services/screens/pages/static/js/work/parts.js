import { make } from "../dom.js";
import { text, whole } from "../text.js";
import { word } from "./words.js";

function bar({ name, points }, most) {
  const share = make("span", "share");
  share.style.setProperty("--share", (Math.abs(points) / most).toFixed(3));
  const item = make("li", "part", make("span", "part-name", word("part", name)), make("span", "track", share), make("span", "points", text("card_page.points", { n: whole(points) })));
  item.dataset.sign = points < 0 ? "minus" : "plus";
  return item;
}

/** Why somebody was chosen: the parts of the score as bars, the largest first. */
export function parts(offer) {
  const told = offer.parts.filter(({ points }) => points !== 0).sort((a, b) => b.points - a.points);
  const most = Math.max(1, ...told.map(({ points }) => Math.abs(points)));
  const total = make("p", "total", text("card_page.total", { n: whole(offer.score) }));
  return make("div", "parts", make("ul", "", ...told.map((part) => bar(part, most))), total);
}
