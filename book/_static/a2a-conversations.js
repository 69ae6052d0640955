// The page of conversations: filters its list, and shows the conversation that the address names.
// What models wrote goes into the page as text nodes alone. The texts of a study come as a script, since a page that is
// opened as a file may load nothing else.
(() => {
  const shelf = document.querySelector(".a2a-shelf");
  const view = document.querySelector(".a2a-told");
  const form = document.querySelector(".a2a-find");
  const said = form.querySelector("output");
  const selects = [...form.querySelectorAll("select")];
  const groups = [...shelf.querySelectorAll("details")];
  const items = [...shelf.querySelectorAll("li")];
  for (const item of items) item.dataset.study = item.closest("details").dataset.study;

  const make = (tag, attributes, ...children) => {
    const svg = ["svg", "rect", "path", "title"].includes(tag);
    const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  // ---- texts: one script a study, when it is asked for

  const asked = new Map();
  const waiting = new Map();
  window.a2aConversations = (study) => {
    study.byId = new Map(study.conversations.map((one) => [one.id, one]));
    waiting.get(study.study)(study);
    waiting.delete(study.study);
  };
  const load = (name) => {
    if (!asked.has(name)) {
      asked.set(name, new Promise((resolve, reject) => {
        const fail = () => {
          asked.delete(name);
          reject(new Error(`The texts of ${name} can't be loaded.`));
        };
        waiting.set(name, resolve);
        document.head.append(Object.assign(document.createElement("script"), {
          src: `conversations/${encodeURIComponent(name)}.js`, onerror: fail, onload: () => waiting.has(name) && fail(),
        }));
      }));
    }
    return asked.get(name);
  };
  const conversation = (study, item) => study.byId.get(item.id.slice(study.study.length + 1));

  // ---- the list: by what its entries say of themselves, and by a text

  let sought = null;
  let latest = 0;
  const pattern = (text) => (text ? new RegExp(`(${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")})`, "iu") : null);
  const holding = async (some, wanted) => {
    const names = [...new Set(some.map((item) => item.dataset.study))];
    said.textContent = "reading the texts …";
    const told = new Map((await Promise.all(names.map(load))).map((study) => [study.study, study]));
    return some.filter((item) => conversation(told.get(item.dataset.study), item).texts.some((text) => wanted.test(text)));
  };
  const list = (found, narrowed) => {
    const kept = new Set(found);
    for (const item of items) item.hidden = !kept.has(item);
    for (const group of groups) {
      const own = found.filter((item) => item.dataset.study === group.dataset.study).length;
      group.hidden = !own;
      group.open = narrowed && own > 0;
      group.querySelector("summary small").textContent = own;
    }
    said.textContent = `${found.length} of ${items.length} conversations`;
    neighbours();
  };
  const apply = async () => {
    const mine = ++latest;
    const wanted = pattern(form.elements.text.value.trim());
    const fit = items.filter((item) => selects.every((one) => !one.value || item.dataset[one.name] === one.value));
    try {
      const found = wanted ? await holding(fit, wanted) : fit;
      if (mine !== latest) return;
      sought = wanted;
      list(found, Boolean(wanted) || selects.some((one) => one.value));
      await show(false);
    } catch (error) {
      said.textContent = error.message;
    }
  };

  // ---- one conversation

  const turns = (loops) => loops.map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`)).join(", ");
  const inside = (loops, turn) => loops.some(([from, to]) => from <= turn && turn <= to);
  const marked = (text) => {
    if (!sought) return [text];
    return text.split(sought).map((part, place) => (place % 2 ? make("mark", {}, part) : part));
  };
  const says = ({ reader, loop, sure }) =>
    `Reader “${reader}”: ${loop ? `a loop at turns ${turns([loop])}` : "no loop"}${sure ? "" : " (not sure)"}`;

  const strip = (caption, values, held, cut) => {
    const shapes = values.map((value, place) => {
      const height = value === null ? 0 : Math.max(Math.min(value, 1) * 30, 1);
      const told = `turn ${place + 1}: ${value === null ? "no distance" : value}`;
      const kind = held(place + 1) ? "a2a-held" : "a2a-free";
      return make("rect", { class: kind, x: place * 10 + 1, y: 32 - height, width: 8, height }, make("title", {}, told));
    });
    const width = values.length * 10;
    if (cut !== undefined) shapes.push(make("path", { class: "a2a-cut", d: `M0 ${32 - Math.min(cut, 1) * 30}H${width}` }));
    const box = { class: "a2a-strip", viewBox: `0 0 ${width} 33`, preserveAspectRatio: "none", role: "img" };
    const picture = make("svg", { ...box, "aria-label": caption }, ...shapes);
    return make("figure", {}, picture, make("figcaption", { "aria-hidden": "true" }, caption));
  };
  const strips = (study, one) => [
    ...study.rules.map((rule, row) => {
      const where = turns(one.loops[row]);
      const caption = `${rule.name}: ${where ? `in a loop at turns ${where}` : "no loop"}; threshold ${rule.threshold.toFixed(2)}`;
      return strip(caption, one.distances[row], (turn) => inside(one.loops[row], turn), rule.threshold);
    }),
    ...one.labels.map((label) => {
      const all = one.distances[0].map((_, place) => (label.loop && inside([label.loop], place + 1) ? 1 : 0));
      return make("div", { class: "a2a-reader" }, strip(says(label), all, () => true));
    }),
  ];
  const table = (study, one) => {
    const head = ["turn", ...study.rules.map((rule) => rule.name)].map((name) => make("th", { scope: "col" }, name));
    const rows = one.distances[0].map((_, place) => make("tr", {},
      make("th", { scope: "row" }, `${place + 1}`),
      ...one.distances.map((values) => make("td", {}, values[place] === null ? "–" : values[place].toFixed(2)))));
    const all = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
    return make("details", {}, make("summary", {}, "Distances as a table"), all);
  };
  const turnOf = (study, one, text, turn) => {
    const judges = one.labels.filter((label) => label.loop && inside([label.loop], turn)).map((label) => `reader “${label.reader}”`);
    const byRule = inside(one.loops[0], turn);
    if (byRule) judges.unshift("the rule");
    const who = turn ? `${turn} · ${study.models[(turn - 1) % 2]}` : "seed sentence";
    const about = judges.length ? [make("span", { class: "a2a-judges" }, ` · in a loop by ${judges.join(", ")}`)] : [];
    const put = one.injected[turn] ? [make("p", { class: "a2a-put" }, `A sentence from outside was read last: ${one.injected[turn]}`)] : [];
    const kind = [byRule ? "a2a-by-rule" : "", judges.length > Number(byRule) ? "a2a-by-reader" : ""].join(" ").trim();
    const words = text.trim() ? marked(text) : [make("em", {}, "(empty)")];
    return make("li", { class: kind }, make("small", {}, who, ...about), ...put, make("div", { class: "a2a-text", dir: "auto" }, ...words));
  };
  const link = (relation, word, item) => {
    if (!item) return make("span", { class: "a2a-none" }, word);
    return make("a", { rel: relation, href: `#${encodeURI(item.id)}` }, `${word}: ${item.id}`);
  };
  const neighbours = () => {
    const nav = view.querySelector("nav");
    if (!nav) return;
    const place = items.indexOf(named());
    const before = items.slice(0, Math.max(place, 0)).reverse().find((item) => !item.hidden);
    const after = items.slice(place + 1).find((item) => !item.hidden);
    nav.replaceChildren(link("prev", "Previous", before), link("next", "Next", after));
  };
  const fill = (study, item) => {
    const one = conversation(study, item);
    const heading = make("h2", { tabindex: "-1" }, item.id);
    const pair = study.models.join(" × ");
    view.replaceChildren(
      heading,
      make("nav", { "aria-label": "Conversations" }),
      make("p", {}, `${pair}; ${study.about}.`),
      ...(one.labels.length ? [] : [make("p", {}, "No reader has labelled it.")]),
      ...strips(study, one),
      table(study, one),
      make("ol", {}, ...one.texts.map((text, turn) => turnOf(study, one, text, turn))),
    );
    view.hidden = false;
    return heading;
  };

  // ---- the address

  const wanted = () => {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return location.hash.slice(1); // a % that isn't an escape
    }
  };
  const named = () => items.find((item) => item.id === wanted());
  const alerted = (text) => {
    view.hidden = !text;
    view.replaceChildren(...(text ? [make("p", { role: "alert" }, text)] : []));
  };
  let shown = null;
  const show = async (moved = true) => {
    const item = named();
    if (!item) {
      alerted(wanted().includes("/") ? `There is no conversation ${wanted()}.` : "");
      return;
    }
    let study;
    try {
      study = await load(item.dataset.study);
    } catch (error) {
      alerted(error.message);
      return;
    }
    if (item !== named()) return; // another one was asked for meanwhile
    shown?.removeAttribute("aria-current");
    shown = item.querySelector("a");
    shown.setAttribute("aria-current", "true");
    const heading = fill(study, item);
    neighbours();
    if (moved) heading.focus();
  };

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  let timer;
  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(apply, event.target.type === "search" ? 250 : 0);
  });
  addEventListener("hashchange", () => show());
  list(items, false);
  show();
})();
