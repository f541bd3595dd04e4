import { make } from "../dom.js";
import { short, text } from "../text.js";
import { word } from "./words.js";

/** One point of a part outweighs all of the next: only their orders of magnitude can be compared. */
const size = (points) => Math.log1p(Math.abs(points));

function bar({ name, points }, most) {
  const share = make("span", "share");
  share.style.setProperty("--share", (size(points) / size(most)).toFixed(3));
  const item = make("li", "part", make("span", "part-name", word("part", name)), make("span", "track", share), make("span", "points", text("card_page.points", { n: short(points) })));
  item.dataset.sign = points < 0 ? "minus" : "plus";
  return item;
}

/** Why somebody was chosen: the parts of the score as bars, the largest first. */
export function parts(offer) {
  const told = offer.parts.filter(({ points }) => points !== 0).sort((a, b) => b.points - a.points);
  const most = Math.max(1, ...told.map(({ points }) => Math.abs(points)));
  const total = make("p", "total", text("card_page.total", { n: short(offer.score) }));
  return make("div", "parts", make("ul", "", ...told.map((part) => bar(part, most))), total);
}
