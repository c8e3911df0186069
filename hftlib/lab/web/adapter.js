// Makes an anywidget of pieces: each is mounted once, and shown what the kernel says of it.
//
//   export default adapter({ ladder, runner })
//
// The kernel is told every BEAT_MS that somebody looks, and when nobody does any more, so that no
// thread of its works for a page that is closed. A kernel that is gone says nothing: after STALE_MS
// the page says so, for figures that stand still look like figures that are true.

const BEAT_MS = 20_000;
const STALE_MS = 10_000;

export default function adapter(pieces) {
  return {
    render({ model, el }) {
      const view = Math.random().toString(36).slice(2);
      const root = el.appendChild(document.createElement("div"));
      root.className = "hft-lab hft";
      const mounted = new Map();
      const line = document.createElement("div");
      line.className = "hft-lab-said";
      let heard = Date.now();

      function say(message) {
        try {
          model.send({ ...message, view });
        } catch {
          // The kernel is gone; the line below says so.
        }
      }

      function show() {
        heard = Date.now();
        const shown = model.get("shown");
        for (const name of model.get("order")) {
          if (shown[name] === undefined || !pieces[name]) continue;
          if (!mounted.has(name)) {
            const place = root.insertBefore(document.createElement("section"), line);
            place.className = `hft-lab-piece hft-lab-${name}`;
            mounted.set(name, pieces[name].mount(place, { ...model.get("options")[name], say }));
          }
          mounted.get(name).show(shown[name]);
        }
        speak();
      }

      function speak() {
        const silent = model.get("is_live") && Date.now() - heard > STALE_MS;
        const seconds = Math.round((Date.now() - heard) / 1_000);
        line.textContent = silent
          ? `The kernel has said nothing for ${seconds} s: these figures may be old.`
          : model.get("said");
        line.hidden = !line.textContent;
        root.classList.toggle("hft-lab-stale", silent);
      }

      root.append(line);
      // The picture for pages without a kernel is not needed while this one is there.
      const hides = root.appendChild(document.createElement("style"));
      hides.textContent = `[data-hft-still="${model.get("still")}"] { display: none; }`;
      model.on("change:shown", show);
      model.on("change:said", speak);
      model.on("change:is_live", speak);
      const here = () => say({ hft: "here" });
      const beats = [setInterval(here, BEAT_MS), setInterval(speak, 1_000)];
      show();
      here();
      return () => {
        beats.forEach(clearInterval);
        model.off("change:shown", show);
        model.off("change:said", speak);
        model.off("change:is_live", speak);
        for (const piece of mounted.values()) piece.remove();
        say({ hft: "gone" });
      };
    },
  };
}
