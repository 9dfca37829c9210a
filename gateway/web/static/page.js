// Live values by server-sent events; the page is complete without it.
"use strict";
const SILENCE_MS = 15000;
const RENEW_MS = 10000;
const lost = document.getElementById("lost");
const here = document.getElementById("device");
const page = document.body.dataset.page;

const set = (root, selector, text) => {
  const element = root && root.querySelector(selector);
  if (element && element.textContent !== text) element.textContent = text;
};
const restate = (element, state) => {
  element.className = element.className.replace(/state-\w+/, "state-" + state);
};
const say = (text) => {
  lost.textContent = text;
  lost.hidden = !text;
};

// Only what changed is sent: a member that is missing stays as it is.
function showHead(element, news) {
  if (news.state) restate(element, news.state);
  for (const each of ["word", "sign", "since", "lasting"]) {
    if (each in news) set(element, "." + each, news[each]);
  }
}

function showTile(id, news) {
  const tile = document.getElementById("tile-" + id);
  if (!tile) return;
  showHead(tile, news);
  if (news.reasons) {
    const [, , why, action] = news.reasons[0] || ["", "", "", ""];
    set(tile, ".why", why);
    set(tile, ".action", action);
  }
  for (const [name, [text, grade, quality]] of Object.entries(news.points || {})) {
    const value = tile.querySelector(`[data-point="${name}"]`);
    if (!value) continue;
    set(value, ".text", text);
    set(value, ".quality", grade === "good" ? "" : quality);
    value.className = "value " + grade;
  }
  if ("order" in news && tile.dataset.order !== String(news.order)) {
    tile.dataset.order = news.order;
    const tiles = [...tile.parentNode.children];
    tiles.sort((a, b) => a.dataset.order - b.dataset.order || (a.id < b.id ? -1 : 1)); // the heading between them too
    tile.parentNode.append(...tiles);
  }
}

function showReasons(list, reasons) {
  const write = (tag, name, text) => {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    return element;
  };
  const items = reasons.map(([priority, colour, text, action, because, rule]) => {
    const item = write("li", "priority-" + priority, "");
    const what = write(action ? "a" : "span", "", text);
    if (action) what.href = `/alarm/${here.dataset.device}/${rule}`;
    item.append(write("b", "", colour), " ", what, " ", write("span", "action", action), " ", write("small", "because", because));
    return item;
  });
  if (!items.length) {
    const item = document.createElement("li");
    item.textContent = list.dataset.none;
    items.push(item);
  }
  list.replaceChildren(...items);
}

function showDevice(news) {
  showHead(here, news);
  if (news.reasons) showReasons(here.querySelector(".reasons"), news.reasons);
  for (const [name, [text, grade, quality, time]] of Object.entries(news.points || {})) {
    const row = document.getElementById("point-" + name);
    if (!row) continue;
    row.className = grade;
    set(row, ".text", text);
    set(row, ".quality", quality);
    set(row, ".time", time);
  }
}

function showSite(news) {
  const site = document.getElementById("site");
  if (!site) return;
  showHead(site, news);
  for (const [state, count] of Object.entries(news.counts)) {
    const item = site.querySelector(`[data-count="${state}"]`);
    set(item, "b", String(count));
    item.classList.toggle("zero", !count);
  }
  for (const [kind, need] of Object.entries(news.required)) {
    const item = site.querySelector(`[data-required="${kind}"]`);
    restate(item, need.state);
    set(item, "b", `${need.usable}/${need.required}`);
  }
}

// What all pages say of alarms.
function showBadge(news) {
  const badge = document.getElementById("badge");
  const loudest = document.getElementById("loudest");
  const fill = news.unacked ? " fill-" + news.priority : "";
  badge.className = "badge" + fill;
  badge.hidden = !news.open;
  set(badge, ".sign", news.unacked ? news.sign : "");
  set(badge, ".count", String(news.unacked || news.open));
  set(badge, ".spoken", " " + news.words);
  if (!loudest) return;
  loudest.className = "loudest" + fill;
  loudest.hidden = !news.unacked;
  set(loudest, ".sign", news.sign);
  set(loudest, ".count", String(news.unacked));
  set(loudest, ".text", news.text);
  set(loudest, ".words", news.words);
}

// Alarms come as they are drawn by the gateway, for everybody alike: here they get this session's token, and who has
// acknowledged one is not asked a second time.
function arm(root) {
  const {csrf, name} = document.body.dataset;
  for (const input of root.querySelectorAll("input[name=csrf]")) input.value = csrf;
  for (const form of root.querySelectorAll("[data-ackers]")) form.hidden = form.dataset.ackers.split(" ").includes(name);
}

function showAlarms(drawn) {
  const list = document.getElementById("alarms");
  if (!list) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = drawn;
  arm(fresh.content);
  for (const fold of list.querySelectorAll("details[id]")) {
    const other = fresh.content.getElementById(fold.id);
    if (other) other.open = fold.open;
  }
  const place = document.activeElement && list.contains(document.activeElement) ? document.activeElement : null;
  const card = place && place.closest("[id]").id;
  const kind = place && place.tagName;
  list.replaceChildren(fresh.content);
  const again = card && document.getElementById(card);
  const target = again && (again.querySelector(kind) || again.querySelector("a"));
  if (target) target.focus({preventScroll: true});
}

// The page of one alarm is asked for anew when something about alarms changed.
let hasAlarms = "";
function noteAlarms(news) {
  const now = JSON.stringify(news);
  if (hasAlarms && hasAlarms !== now && document.getElementById("alarm")) renew();
  hasAlarms = now;
}

let heard = Date.now();
let live = null;
function look() {
  live = new EventSource(here ? "/live?device=" + encodeURIComponent(here.dataset.device) : "/live?page=" + page);
  live.onmessage = (event) => {
    const news = JSON.parse(event.data);
    heard = Date.now();
    if (news.config && news.config !== document.body.dataset.config) {
      location.reload(); // another configuration: other devices, other points
      return;
    }
    say("");
    set(document, ".clock", news.clock);
    if (news.site) showSite(news.site);
    if (news.badge) showBadge(news.badge);
    if (news.badge) noteAlarms(news.badge);
    if ("alarms" in news) showAlarms(news.alarms);
    for (const [id, device] of Object.entries(news.devices)) here ? showDevice(device) : showTile(id, device);
  };
  live.onerror = () => {
    // A refused stream is not tried again by the browser: too many viewers, so look at the page anew now and then.
    const isRefused = live.readyState === EventSource.CLOSED;
    say(isRefused ? lost.dataset.crowded : lost.dataset.lost);
    if (isRefused) setTimeout(() => location.reload(), RENEW_MS);
  };
}
if (page) {
  look();
  setInterval(() => {
    if (!document.hidden && Date.now() - heard > SILENCE_MS) say(lost.dataset.lost);
  }, 1000);
  // A page nobody looks at keeps no stream open: browsers allow few, and so do we.
  document.addEventListener("visibilitychange", () => {
    live.close();
    if (!document.hidden) {
      heard = Date.now();
      look();
    }
  });
}

// Parts that are asked for anew instead of streamed.
async function renew() {
  if (document.hidden) return;
  let fresh = null;
  try {
    const answer = await fetch(location.href);
    if (answer.ok) fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    say(lost.dataset.lost);
  }
  if (!fresh) return;
  say("");
  for (const part of document.querySelectorAll("[data-renew]")) {
    const other = fresh.getElementById(part.id);
    const isInUse = part.contains(document.activeElement) || part.querySelector("details[open]");
    if (other && !isInUse) part.replaceWith(document.adoptNode(other));
  }
}
if (document.querySelector("[data-renew]")) setInterval(renew, RENEW_MS);

arm(document.getElementById("alarms") || document.createElement("div"));

let shown = null;
async function drawTrend() {
  const button = shown;
  if (!button || document.hidden) return;
  let drawing = null;
  try {
    const columns = document.querySelector(".columns");
    const width = (columns.querySelector(".side").clientWidth || columns.clientWidth) - 34;
    const answer = await fetch(`${button.dataset.trend}?width=${width}`);
    if (answer.ok) drawing = await answer.text();
  } catch {
    return; // the gateway is gone: the live stream says so
  }
  if (drawing === null || button !== shown) return;
  const section = document.getElementById("trend");
  section.querySelector(".drawing").innerHTML = drawing;
  section.querySelector(".what").textContent = button.textContent;
  section.hidden = false;
}
async function choose(button) {
  if (shown) shown.setAttribute("aria-expanded", "false");
  shown = button;
  button.setAttribute("aria-expanded", "true");
  await drawTrend();
}
for (const button of document.querySelectorAll("button.show")) {
  button.addEventListener("click", async () => {
    await choose(button);
    document.getElementById("trend").scrollIntoView({block: "nearest"});
  });
}
const first = document.querySelector("button.show");
if (first) choose(first);
if (here) setInterval(drawTrend, 10000);
