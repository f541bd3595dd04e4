import { called } from "../text.js";

/** Tell the name of a node, which the live document opens with; nothing when it does not come. */
export function nodeName(node, tell) {
  const source = new EventSource(`/v1/live?node=${encodeURIComponent(node)}`);
  source.addEventListener("snapshot", (event) => {
    source.close();
    const name = called(JSON.parse(event.data).node);
    if (name) tell(name);
  });
  source.addEventListener("error", () => source.close());
}
