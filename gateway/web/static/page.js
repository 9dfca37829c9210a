// Live values by server-sent events; the page is complete without it.
"use strict";
const lost = document.getElementById("lost");
const set = (root, selector, text) => {
  const element = root && root.querySelector(selector);
  if (element && element.textContent !== text) element.textContent = text;
};
const restate = (element, state) => {
  element.className = element.className.replace(/state-\w+/, "state-" + state);
};

function showTile(device) {
  const tile = document.getElementById("tile-" + device.id);
  if (!tile) return;
  restate(tile, device.state);
  set(tile, ".word", device.word);
  set(tile, ".sign", device.sign);
  set(tile, ".why", device.reasons.length ? device.reasons[0].text : "");
  for (const point of device.points) {
    const value = tile.querySelector(`[data-point="${point.name}"]`);
    if (!value) continue;
    set(value, ".text", point.text);
    value.className = "value " + point.grade;
  }
  if (tile.dataset.order !== String(device.order)) {
    tile.dataset.order = device.order;
    const tiles = [...tile.parentNode.children];
    tiles.sort((a, b) => a.dataset.order - b.dataset.order || a.id.localeCompare(b.id));
    tile.parentNode.append(...tiles);
  }
}

function showDevice(device) {
  const section = document.getElementById("device");
  if (!section || section.dataset.device !== device.id) return;
  restate(section, device.state);
  set(section, ".word", device.word);
  set(section, ".sign", device.sign);
  set(section, ".since", device.since);
  const reasons = section.querySelector(".reasons");
  const text = device.reasons.map((each) => each.colour + " " + each.text).join("\n");
  if (device.reasons.length && reasons.dataset.text !== text) {
    reasons.dataset.text = text;
    reasons.replaceChildren(...device.reasons.map((each) => {
      const item = document.createElement("li");
      const colour = document.createElement("b");
      item.className = "priority-" + each.priority;
      colour.textContent = each.colour;
      item.append(colour, " ", each.text);
      return item;
    }));
  } else if (!device.reasons.length && reasons.dataset.text) {
    location.reload();
  }
  for (const point of device.points) {
    const row = document.getElementById("point-" + point.name);
    if (!row) continue;
    row.className = point.grade;
    set(row, ".text", point.text);
    set(row, ".quality", point.quality);
    set(row, ".time", point.time);
  }
}

const live = new EventSource("/live");
live.onopen = () => { lost.hidden = true; };
live.onerror = () => { lost.hidden = false; };
live.onmessage = (event) => {
  const news = JSON.parse(event.data);
  const site = document.getElementById("site");
  if (site) {
    restate(site, news.site.state);
    set(site, ".word", news.site.word);
    set(site, ".sign", news.site.sign);
  }
  for (const device of news.devices) {
    showTile(device);
    showDevice(device);
  }
};

let shown = null;
async function drawTrend() {
  if (!shown) return;
  const answer = await fetch(shown.dataset.trend);
  const section = document.getElementById("trend");
  section.querySelector(".what").textContent = shown.textContent;
  section.querySelector(".drawing").innerHTML = await answer.text();
  section.hidden = false;
}
for (const button of document.querySelectorAll("button.show")) {
  button.addEventListener("click", async () => {
    if (shown) shown.setAttribute("aria-expanded", "false");
    shown = button;
    button.setAttribute("aria-expanded", "true");
    await drawTrend();
    document.getElementById("trend").scrollIntoView({behavior: "smooth", block: "nearest"});
  });
}
setInterval(drawTrend, 10000);
