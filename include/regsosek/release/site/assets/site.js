// What the pages can do beyond being read; without it everything is still there. No request leaves the folder.
"use strict";

const page = document.documentElement.dataset;
const within = (place, selector) => [...place.querySelectorAll(selector)];

function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

// The map by another measure.
for (const map of within(document, ".map")) {
  const choices = JSON.parse(map.querySelector("script").textContent);
  const select = map.querySelector("select");
  const explain = map.querySelector(".measure .def");
  const show = () => {
    const { keys, parts } = choices[select.value];
    const name = select.selectedOptions[0].text;
    for (const each of within(map, "[data-code]")) {
      const [text, shade] = parts[each.dataset.code];
      const title = each.querySelector("title");
      if (title) {
        each.setAttribute("class", shade);
        title.textContent = `${title.textContent.split(": ")[0]}: ${text}`;
      } else {
        each.className = `tile ${shade}`;
        each.querySelector(".value").textContent = text;
      }
    }
    map.querySelector(".measured").textContent = name;
    explain.href = `#arti-${select.value}`;
    explain.querySelector(".unseen").textContent = `: ${name}`;
    map.querySelector(".keys").replaceChildren(...keys.map(([shade, text]) => {
      const item = document.createElement("li");
      const swatch = document.createElement("span");
      swatch.className = `swatch ${shade}`;
      swatch.setAttribute("aria-hidden", "true");
      item.append(swatch, text);
      return item;
    }));
  };
  select.addEventListener("change", show);
  map.querySelector(".choose").hidden = false;
  if (select.selectedIndex > 0) show(); // what the browser kept of an earlier visit
}

// Tables in another order.
function order(table, column, ascending) {
  const value = (row) => {
    const cell = row.cells[column];
    return cell.dataset.v ?? (cell.tagName === "TH" || /^\d+$/.test(cell.textContent) ? cell.textContent : "");
  };
  const rows = [...table.tBodies[0].rows].filter((row) => row.className !== "total");
  const numeric = rows.every((row) => value(row) === "" || !Number.isNaN(Number(value(row))));
  rows.sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === "" || b === "") return (a === "") - (b === "");
    return (numeric ? a - b : a.localeCompare(b, page.lang)) * (ascending ? 1 : -1);
  });
  table.tBodies[0].append(...rows);
}
for (const table of within(document, "table.sortable")) {
  for (const button of within(table, ".sort")) {
    const head = button.closest("th");
    button.hidden = false;
    button.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      order(table, head.cellIndex, ascending);
    });
  }
}
for (const hint of within(document, ".hint")) hint.hidden = false;

// A figure explained where it stands; the link to the glossary remains for everyone else.
let explained = null;
function close() {
  if (explained) explained.remove();
  explained = null;
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.def");
  const same = explained && explained.owner === link;
  close();
  const entry = link && document.querySelector(link.getAttribute("href"));
  if (!entry) return;
  event.preventDefault();
  if (same) return;
  explained = document.createElement("div");
  explained.className = "explained";
  explained.setAttribute("role", "status");
  explained.owner = link;
  const name = document.createElement("strong");
  name.textContent = entry.querySelector("dt").textContent;
  document.body.append(explained);
  explained.append(name, entry.querySelector("dd").textContent);
  const place = link.getBoundingClientRect();
  const room = document.documentElement.clientWidth - explained.offsetWidth - 8;
  explained.style.left = `${Math.max(8, Math.min(place.left, room)) + window.scrollX}px`;
  explained.style.top = `${place.bottom + window.scrollY + 6}px`;
});
document.addEventListener("keydown", (event) => event.key === "Escape" && close());

// Regions by name.
for (const find of within(document, ".find")) {
  const input = find.querySelector("input");
  const found = find.querySelector(".found");
  const status = find.querySelector("[role=status]");
  find.hidden = false;
  let loading = null;
  const ready = () => (loading ??= load(find.dataset.list));
  const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const href = ([code, , level, above]) =>
    page.pages + (level ? `${level}/${code}.html` : `kabkota/${above}.html#w${code}`);
  const search = async () => {
    const asked = folded(input.value.trim());
    found.hidden = asked.length < 2;
    status.textContent = "";
    if (asked.length < 2) return;
    await ready();
    const all = window.regsosekRegions;
    const names = new Map(all.map(([code, name]) => [code, name]));
    const hits = all.filter(([code, name]) => code === asked || folded(name).includes(asked));
    const starts = ([, name]) => !folded(name).replace(/^(kab|kota|kabupaten)\.? /, "").startsWith(asked);
    hits.sort((a, b) => starts(a) - starts(b) || a[0].length - b[0].length);
    found.replaceChildren(...hits.slice(0, 12).map((region) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      const where = document.createElement("small");
      link.href = href(region);
      where.textContent = `${region[0]} ${names.get(region[3]) ?? ""}`;
      link.append(region[1], where);
      item.append(link);
      return item;
    }));
    status.textContent = hits.length ? status.dataset.found.replace("{count}", hits.length) : status.dataset.none;
    if (!hits.length) {
      const item = document.createElement("li");
      item.textContent = status.dataset.none;
      found.replaceChildren(item);
    }
  };
  input.addEventListener("focus", ready);
  input.addEventListener("input", search);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Escape") found.hidden = true;
    const links = within(found, "a");
    const place = links.indexOf(document.activeElement);
    if (event.key === "Enter" && event.target === input && links.length) links[0].click();
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    (links[place + (event.key === "ArrowDown" ? 1 : -1)] ?? input).focus();
  });
  find.addEventListener("focusout", (event) => { if (!find.contains(event.relatedTarget)) found.hidden = true; });
}

// The glossary is long: it is folded once its entries open where they are needed. A link into a fold opens it.
for (const fold of within(document, ".fold")) fold.open = false;
function unfold() {
  const place = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = place && place.closest("details");
  if (!fold) return;
  fold.open = true;
  place.scrollIntoView();
}
window.addEventListener("hashchange", unfold);
unfold();

// Tables that are wider than their place say so.
for (const scroll of within(document, ".scroll")) {
  const hint = document.createElement("p");
  hint.className = "wide";
  hint.textContent = page.wide;
  scroll.before(hint);
  const measure = () => {
    hint.hidden = scroll.scrollWidth <= scroll.clientWidth + 1;
    scroll.classList.toggle("cut", scroll.scrollLeft + scroll.clientWidth < scroll.scrollWidth - 1);
  };
  scroll.addEventListener("scroll", measure, { passive: true });
  window.addEventListener("resize", measure);
  measure();
}

// A chart as a picture and as a table, made from what the page holds.
function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
function rows(specification) {
  const { days, plan, visited, complete } = specification.datasets;
  const source = specification.title.text.join(". ");
  if (!plan) return days.map(({ day, visited: families }) => ({ day, visited: families, source }));
  const of = (dataset) => new Map(dataset.map(({ day, share }) => [day, share]));
  const [seen, done] = [of(visited), of(complete)];
  return plan.map(({ day, share }) => (
    { day, plan: share, visited: seen.get(day) ?? "", complete: done.get(day) ?? "", source }
  ));
}
function table(lines) {
  const quoted = (value) => `"${String(value).replaceAll('"', '""')}"`;
  return [Object.keys(lines[0]), ...lines.map(Object.values)].map((line) => line.map(quoted).join(",")).join("\n") + "\n";
}
for (const chart of within(document, ".chart")) {
  const image = chart.querySelector("img");
  const name = image.getAttribute("src").split("/").pop().replace(/\.svg$/, "");
  const [png, csv] = [chart.querySelector(".png"), chart.querySelector(".csv")];
  csv.addEventListener("click", () => {
    const lines = rows(JSON.parse(chart.querySelector("script").textContent));
    save(new Blob([table(lines)], { type: "text/csv" }), `${name}.csv`);
  });
  png.addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height].map((each) => each * 3);
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((picture) => save(picture, `${name}.png`));
  });
  csv.hidden = false;
  png.hidden = location.protocol === "file:"; // a browser gives no picture of a file away
}

// Charts that answer to the pointer, when asked for.
for (const chart of within(document, ".chart")) {
  const button = chart.querySelector(".interactive");
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    const place = chart.querySelector(".drawing");
    const drawn = document.createElement("div");
    try {
      if (!window.regsosekChart) await load(chart.parentElement.dataset.bundle);
      await window.regsosekChart(drawn, JSON.parse(chart.querySelector("script").textContent));
      const svg = drawn.querySelector("svg");
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", place.querySelector("img").alt);
      place.replaceChildren(drawn);
      button.hidden = true;
    } catch {
      chart.querySelector(".failed").hidden = false;
      button.hidden = true;
    }
  });
}
