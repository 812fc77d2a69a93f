/* Small behaviour that HTML alone does not have. Every page works without it. */
"use strict";

const words = JSON.parse(document.body.dataset.words || "{}");
const say = (text) => { const box = document.getElementById("announce"); if (box) box.textContent = text; };
const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (all, key) => values[key]);

/* Theme: a cookie, so that the server paints the right one at once. */
function showTheme() {
  const chosen = document.documentElement.dataset.theme || "";
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === chosen));
  }
}
function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `gatehouse_theme=${theme};path=/;max-age=${theme ? 31536000 : 0};samesite=lax${secure}`;
  showTheme();
}

/* Relative times count on with the words the server uses. */
function relative(moment) {
  const seconds = (Date.now() - moment) / 1000;
  const age = Math.abs(seconds);
  if (age < 10) return words.now;
  for (const [limit, unit, past, future] of words.steps) {
    if (age < limit || !limit) return fill(seconds > 0 ? past : future, { n: Math.floor(age / unit) });
  }
  return "";
}
function duration(total) {
  const days = Math.floor(total / 86400), hours = Math.floor(total / 3600) % 24;
  const minutes = Math.floor(total / 60) % 60, seconds = Math.floor(total) % 60;
  const form = days ? words.days : hours ? words.hours : minutes ? words.minutes : words.seconds;
  return fill(form, { days, hours, minutes, seconds });
}
function setText(element, text) { if (element.textContent !== text) element.textContent = text; }
function refreshTimes() {
  if (!words.steps || document.hidden) return;
  for (const time of document.querySelectorAll("time[data-relative]")) setText(time, relative(Date.parse(time.dateTime)));
}
function refreshElapsed() {
  if (!words.steps || document.hidden) return;
  for (const time of document.querySelectorAll("time[data-elapsed]")) {
    setText(time, duration(Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000)));
  }
}

/* Toasts */
function toast(text, tone) {
  const place = document.getElementById("toasts");
  if (!place) return null;
  const box = document.createElement("div");
  box.className = `toast toast--${tone}`;
  box.dataset.message = "";
  const body = document.createElement("div");
  body.className = "toast__body";
  body.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button button--quiet button--small";
  close.dataset.dismiss = "";
  close.textContent = words.dismiss;
  box.append(body, close);
  place.append(box);
  return box;
}

/* Dialogs: a link to the page that asks the same opens the dialog instead. */
function openDialog(id, opener) {
  const dialog = document.getElementById(id);
  if (!dialog || !dialog.showModal) return false;
  dialog.showModal();
  /* The first field, else the title: never the button that does it. */
  const first = dialog.querySelector("input:not([type=hidden]), textarea") || dialog.querySelector(".dialog__title");
  if (first) first.focus();
  dialog.addEventListener("close", () => opener && opener.isConnected && opener.focus(), { once: true });
  return true;
}
function checkTyped(input) {
  const button = input.form.querySelector(".dialog__actions [type=submit]");
  button.disabled = input.value.trim() !== input.dataset.typed;
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    say(words.copied);
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 1500);
  } catch {
    toast(words.copyFailed, "danger");
  }
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  const on = (selector) => target.closest(selector);
  let found;
  if ((found = on("[data-set-theme]"))) setTheme(found.dataset.setTheme);
  else if ((found = on("[data-dialog]"))) {
    if (!event.ctrlKey && !event.metaKey && openDialog(found.dataset.dialog, found)) event.preventDefault();
  } else if ((found = on("[data-close-dialog]"))) found.closest("dialog").close();
  else if ((found = on("[data-copy]"))) copy(found);
  else if ((found = on("[data-dismiss]"))) found.closest("[data-message]").remove();
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
});
document.addEventListener("input", (event) => { if (event.target.matches("[data-typed]")) checkTyped(event.target); });

/* A form sent twice by an impatient double click is one form. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
  dirty.delete(form);
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) { delete form.dataset.sent; form.removeAttribute("aria-busy"); }
});

/* Keys. Enter never approves: not from a field of such a form, not on its focused button; Space and clicks do. */
function typing(element) { return element instanceof Element && element.matches("input, textarea, select, [contenteditable]"); }
function moveRow(step) {
  const rows = [...document.querySelectorAll("[data-rows-keys] [data-row-link]")];
  if (!rows.length) return;
  const here = rows.findIndex((row) => row === document.activeElement);
  const next = rows[Math.min(rows.length - 1, Math.max(0, here + step))] || rows[0];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}
document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.key === "Enter" && target instanceof Element && target.closest("[data-no-enter]")) {
    const plain = target.matches("textarea, summary, a[href], [data-close-dialog]");
    if (!plain || target.matches("button[data-no-enter]")) event.preventDefault();
    return;
  }
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(target) || document.querySelector("dialog[open]")) return;
  if (event.key === "j") moveRow(1);
  else if (event.key === "k") moveRow(-1);
  else if (event.key === "/") {
    const search = document.querySelector("[data-search-key]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  }
});

/* A half-filled form is not lost by a wrong click. */
const dirty = new Set();
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form && form.hasAttribute("data-guard")) dirty.add(form);
});
addEventListener("beforeunload", (event) => {
  for (const form of dirty) if (!form.isConnected) dirty.delete(form);
  if (dirty.size) event.preventDefault();
});

/* htmx: focus, folds and what was being typed survive a swap; a silent server is said once. */
let kept = null, offline = null;
function keep(event) {
  const place = event.detail.target, active = document.activeElement;
  kept ||= { focus: null, open: [], typed: [], dialog: false };
  if (place.contains(active) && active.id) kept.focus = { id: active.id, at: typing(active) ? active.selectionStart : null };
  kept.open.push(...[...place.querySelectorAll("details[open][id]")].map((fold) => fold.id));
  for (const field of place.querySelectorAll("textarea[id], input[id]:not([type=hidden], [type=checkbox], [type=radio])")) {
    if (field.value !== field.defaultValue) kept.typed.push([field.id, field.value]);
  }
  if (place.querySelector("dialog[open]")) kept.dialog = true;
}
function giveBack() {
  if (kept) {
    for (const id of kept.open) { const fold = document.getElementById(id); if (fold) fold.open = true; }
    for (const [id, value] of kept.typed) { const field = document.getElementById(id); if (field && field.value === field.defaultValue) field.value = value; }
    const again = kept.focus && document.getElementById(kept.focus.id);
    if (again && document.activeElement !== again) {
      again.focus({ preventScroll: true });
      if (kept.focus.at !== null && typing(again)) {
        try { again.setSelectionRange(kept.focus.at, kept.focus.at); } catch { /* number and date fields have no caret position */ }
      }
    }
    /* What somebody was about to confirm may not be what stands there now. */
    if (kept.dialog && !document.querySelector("dialog[open]")) toast(words.movedOn, "danger");
    kept = null;
  }
  prepare();
}
document.addEventListener("htmx:beforeSwap", keep);
document.addEventListener("htmx:oobBeforeSwap", keep);
document.addEventListener("htmx:afterSwap", giveBack);
function wentOffline(event) {
  event.detail.elt.classList.add("is-stale");
  if (!offline || !offline.isConnected) offline = toast(words.offline, "danger");
}
document.addEventListener("htmx:sendError", wentOffline);
document.addEventListener("htmx:timeout", wentOffline);
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.xhr || !event.detail.xhr.status) return;
  event.detail.elt.classList.remove("is-stale");
  if (offline) { offline.remove(); offline = null; say(words.online); }
});
document.addEventListener("htmx:responseError", (event) => {
  /* A poll that keeps failing must not pile up notices. */
  const notices = document.querySelectorAll("#toasts [data-message]");
  for (const old of [...notices].slice(0, -3)) old.remove();
  if (!event.detail.xhr.responseText) toast(words.failed, "danger");
});

/* Paper shows folded parts. */
let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("main details:not([open]):not(.menu)")];
  for (const fold of unfolded) fold.open = true;
});
addEventListener("afterprint", () => { for (const fold of unfolded) fold.open = false; unfolded = []; });

function prepare() {
  for (const element of document.querySelectorAll("[data-theme-choice], [data-copy]:not([data-copy='']), [data-dismiss]")) element.hidden = false;
  for (const input of document.querySelectorAll("[data-typed]")) checkTyped(input);
  const here = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (here && here.matches("details")) here.open = true;
}
prepare();
showTheme();
refreshTimes();
setInterval(refreshTimes, 15000);
setInterval(refreshElapsed, 1000);
document.addEventListener("visibilitychange", () => { refreshTimes(); refreshElapsed(); });
