/* The log: fetched in pieces from an offset, numbered, followed, searched; never the whole of a long one at once. */
"use strict";

(() => {
  const MOST_LINES = 4000;
  const POLL = 700;
  const REPEATED = /^(.*?): (Still (?:creating|destroying|modifying|reading)\.\.\.) \[(.*)\]$/;
  const ERROR = /^(?:[│╷]\s*)?Error: |^\s*\[ERROR\]|^error\b/i;
  const WARNING = /^(?:[│╷]\s*)?Warning: |^\s*\[WARN(?:ING)?\]/i;
  const GOOD = /^(?:Apply|Destroy) complete!/;
  const words = JSON.parse(document.body.dataset.words || "{}");
  const fill = (text, values) => (text || "").replace(/%\((\w+)\)s/g, (all, key) => values[key]);

  class Log {
    constructor(root) {
      this.root = root;
      this.url = root.dataset.log;
      /* A long log starts near its end, unless the address asks for a line. */
      this.after = /^#L\d+$/.test(location.hash) ? 0 : Number(root.dataset.logAfter || 0);
      this.line = 1;
      this.held = "";
      this.repeats = new Map();
      this.errors = 0;
      this.complete = false;
      this.scroll = root.querySelector("[data-log-scroll]");
      this.lines = root.querySelector("[data-log-lines]");
      this.foot = root.querySelector("[data-log-foot]");
      this.follow = root.querySelector("[data-log-follow]");
      this.search = root.querySelector("[data-log-search]");
      this.lines.replaceChildren();
      this.follow.disabled = this.search.disabled = false;
      this.search.addEventListener("input", () => this.find());
      this.search.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); this.nextMatch(event.shiftKey ? -1 : 1); } });
      this.follow.addEventListener("change", () => { if (this.follow.checked) { this.toEnd(); this.fetch(); } });
      this.scroll.addEventListener("scroll", () => this.scrolled());
      this.copyLink = root.querySelector("[data-log-copy]");
      this.lines.addEventListener("click", (event) => {
        const number = event.target.closest(".log__number");
        if (number) { this.follow.checked = false; this.select(number.parentElement); history.replaceState(null, "", `#${number.parentElement.id}`); }
      });
      root.querySelector("[data-log-errors]").addEventListener("click", (event) => {
        const row = event.target.closest("a") && document.getElementById(event.target.closest("a").hash.slice(1));
        if (row) { this.follow.checked = false; this.scrolling = true; this.select(row); }
      });
      this.fetch();
    }

    /* Reading back stops following, and reaching the end follows again. */
    scrolled() {
      const fromEnd = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight;
      if (this.scrolling) { this.scrolling = false; return; }
      if (fromEnd > 60) this.follow.checked = false;
      else if (!this.complete) { this.follow.checked = true; this.fetch(); }
    }

    toEnd() { this.scrolling = true; this.scroll.scrollTop = this.scroll.scrollHeight; }

    later(wait) { clearTimeout(this.timer); this.timer = setTimeout(() => this.fetch(), wait); }

    async fetch() {
      if (this.busy || this.complete || !this.root.isConnected) return;
      this.busy = true;
      try {
        const address = new URL(this.url, location.href);
        address.searchParams.set("after", String(this.after));
        const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
        /* Signed out, or no longer allowed: asking again would not help. */
        const json = (answer.headers.get("Content-Type") || "").includes("json");
        if ([401, 403, 404].includes(answer.status) || (answer.ok && !json)) { this.complete = true; this.root.classList.add("is-stale"); this.say(words.logDenied); return; }
        if (!answer.ok) throw new Error(String(answer.status));
        this.take(await answer.json());
        this.root.classList.remove("is-stale");
      } catch {
        this.root.classList.add("is-stale");
        this.say(words.offline);
        this.later(4000);
      } finally {
        this.busy = false;
      }
      if (this.again) { this.again = false; this.fetch(); }
    }

    /* {"text", "first_line", "next", "complete"}: text from the offset on, the number of its first line, the
       offset after it, and whether that is all there will be. */
    take(part) {
      const grown = part.next > this.after;
      if (!this.held && part.first_line) this.line = part.first_line;
      this.after = part.next;
      const pieces = (this.held + part.text).split("\n");
      this.held = pieces.pop();
      if (part.complete && this.held) { pieces.push(this.held); this.held = ""; }
      this.append(pieces);
      this.complete = part.complete;
      if (this.complete) return this.say(words.logEnd);
      const full = !this.follow.checked && this.lines.childElementCount >= MOST_LINES;
      if (full) return this.offerMore();
      this.say(grown ? "" : words.logWaiting);
      this.later(grown ? 0 : document.hidden ? POLL * 5 : POLL);
      return undefined;
    }

    append(texts) {
      const block = document.createDocumentFragment();
      for (const text of texts) {
        const number = this.line++;
        const repeated = REPEATED.exec(text);
        if (repeated && this.repeats.has(repeated[1])) {
          const before = this.repeats.get(repeated[1]);
          before.lastChild.textContent = text;
          continue;
        }
        const row = this.row(number, text);
        if (repeated) this.repeats.set(repeated[1], row);
        block.append(row);
      }
      this.lines.append(block);
      if (this.follow.checked) this.drop();
      if (this.search.value) this.find();
      if (this.follow.checked) this.toEnd();
      this.goToTarget();
    }

    row(number, text) {
      const row = document.createElement("li");
      row.className = "log__line";
      row.id = `L${number}`;
      const label = document.createElement("span");
      label.className = "log__number";
      label.textContent = String(number);
      const body = document.createElement("span");
      body.textContent = text;
      row.append(label, body);
      if (ERROR.test(text)) { row.classList.add("log__line--error"); this.noteError(number, text); }
      else if (WARNING.test(text)) row.classList.add("log__line--warning");
      else if (GOOD.test(text)) row.classList.add("log__line--good");
      return row;
    }

    noteError(number, text) {
      const box = this.root.querySelector("[data-log-errors]");
      if (!this.errorList) { this.errorList = document.createElement("ol"); box.append(this.errorList); box.hidden = false; }
      if (++this.errors > 50) return;
      const item = document.createElement("li"), link = document.createElement("a");
      link.href = `#L${number}`;
      link.textContent = `${number}: ${text.replace(/^[│╷]\s*/, "")}`;
      item.append(link);
      this.errorList.append(item);
    }

    /* A followed log keeps its newest lines; the oldest leave the page, not the portal. */
    drop() {
      let over = this.lines.childElementCount - MOST_LINES;
      if (over <= 0) return;
      while (over-- > 0) this.lines.firstElementChild.remove();
      this.dropped = true;
    }

    offerMore() {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button button--small";
      button.textContent = words.logMore;
      button.addEventListener("click", () => { while (this.lines.childElementCount > MOST_LINES / 2) this.lines.firstElementChild.remove(); this.dropped = true; this.fetch(); });
      this.foot.replaceChildren(button);
    }

    say(text) { const full = this.dropped ? `${words.logDropped} ${text}` : text; if (this.foot.textContent !== full) this.foot.textContent = full; }

    find() {
      const wanted = this.search.value.toLowerCase();
      this.matches = [];
      for (const row of this.lines.children) {
        const hit = wanted !== "" && row.lastChild.textContent.toLowerCase().includes(wanted);
        row.classList.toggle("is-match", hit);
        if (hit) this.matches.push(row);
      }
      this.at = -1;
      this.root.querySelector("[data-log-found]").textContent = wanted ? fill(words.logMatches, { n: this.matches.length }) : "";
      if (this.matches.length) this.nextMatch(1);
    }

    nextMatch(step) {
      if (!this.matches || !this.matches.length) return;
      this.at = (this.at + step + this.matches.length) % this.matches.length;
      this.follow.checked = false;
      this.scrolling = true;
      this.matches[this.at].scrollIntoView({ block: "center" });
      this.select(this.matches[this.at]);
    }

    /* One line is the chosen one: by a click on its number, a search, the error list or the address. */
    select(row) {
      for (const old of this.lines.querySelectorAll(".is-target")) old.classList.remove("is-target");
      row.classList.add("is-target");
      this.copyLink.hidden = false;
      this.copyLink.dataset.copy = `${location.origin}${location.pathname}${location.search}#${row.id}`;
      this.copyLink.textContent = fill(words.lineLink, { n: row.id.slice(1) });
    }

    /* #L120 of a copied link: lines are loaded until it is there. */
    goToTarget() {
      const wanted = /^#L\d+$/.test(location.hash) && !this.reached && document.getElementById(location.hash.slice(1));
      if (!wanted) return;
      this.reached = true;
      this.follow.checked = false;
      this.select(wanted);
      wanted.scrollIntoView({ block: "center" });
    }
  }

  const start = (root) => { for (const box of [...root.querySelectorAll("[data-log]"), ...(root.matches && root.matches("[data-log]") ? [root] : [])]) if (!box.dataset.ready) { box.dataset.ready = "yes"; new Log(box); } };
  document.addEventListener("htmx:afterSwap", (event) => start(event.target));
  start(document);
})();
