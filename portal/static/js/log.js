/* The log: a window on it, however long it is. Near its end and following at first; any other place is asked for by
   its line, and a text is looked for by the portal. No more than MOST_LINES are ever on the page. */
"use strict";

(() => {
  const MOST_LINES = 4000;
  const WINDOW = 1000;
  /* Whoever follows and falls behind by this many bytes goes to the end at once. */
  const BEHIND = 1024 * 1024;
  const LONGEST_LINE = 20000;
  const POLL = 700;
  const TYPING = 400;
  const REPEATED = /^(.*?): (Still (?:creating|destroying|modifying|reading)\.\.\.) \[(.*)\]$/;
  const ERROR = /^(?:[│╷]\s*)?Error: |^\s*\[ERROR\]|^error\b/i;
  const WARNING = /^(?:[│╷]\s*)?Warning: |^\s*\[WARN(?:ING)?\]/i;
  const GOOD = /^(?:Apply|Destroy) complete!/;
  const words = JSON.parse(document.body.dataset.words || "{}");
  const fill = (text, values) => (text || "").replace(/%\((\w+)\)s/g, (all, key) => values[key]);
  const wantedLine = () => (/^#L\d+$/.test(location.hash) ? Number(location.hash.slice(2)) : 0);
  const bytes = (text) => new TextEncoder().encode(text).length;
  const button = (label, press) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button button--small";
    made.textContent = label;
    made.addEventListener("click", press);
    return made;
  };

  class Log {
    constructor(root) {
      this.root = root;
      this.url = root.dataset.log;
      this.part = (name) => root.querySelector(`[data-log-${name}]`);
      for (const name of ["scroll", "lines", "foot", "follow", "search", "errors", "earlier"]) this[name] = this.part(name);
      this.copyLink = this.part("copy");
      this.after = Number(root.dataset.logAfter || 0);
      this.errorCount = 0;
      this.noted = new Set();
      this.clear(1);
      this.follow.disabled = this.search.disabled = false;
      this.follow.addEventListener("change", () => { if (this.follow.checked) this.goToEnd(); });
      this.scroll.addEventListener("scroll", () => this.scrolled());
      if (this.earlier) this.earlier.firstElementChild.addEventListener("click", () => this.prepend());
      this.lines.addEventListener("click", (event) => this.pressed(event, ".log__number", (number) => number.parentElement.id));
      this.errors.addEventListener("click", (event) => this.pressed(event, "a", (link) => link.hash.slice(1)));
      this.finder = new Finder(this);
      const asked = wantedLine();
      if (asked) this.goTo(asked); else this.fetch();
    }

    pressed(event, selector, id) {
      const found = event.target.closest(selector);
      if (!found) return;
      event.preventDefault();
      const line = Number(id(found).slice(1));
      history.replaceState(null, "", `#L${line}`);
      this.goTo(line);
    }

    clear(line) {
      this.lines.replaceChildren();
      this.repeats = new Map();
      this.held = "";
      this.first = this.line = line;
      this.complete = this.cut = false;
    }

    /* Reading back stops following, and reaching the end follows again. */
    scrolled() {
      if (this.scrolling) { this.scrolling = false; return; }
      const fromEnd = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight;
      if (fromEnd > 60) this.follow.checked = false;
      else if (this.complete) return;
      else if (this.caughtUp && !this.follow.checked) { this.follow.checked = true; this.fetch(); }
      else if (!this.caughtUp) this.fetch();
    }

    toEnd() { this.scrolling = true; this.scroll.scrollTop = this.scroll.scrollHeight; }

    later(wait) { clearTimeout(this.timer); this.timer = setTimeout(() => this.fetch(), wait); }

    /* One piece of the log as the portal has it; null when it may no longer be read. */
    async ask(query) {
      const address = new URL(this.url, location.href);
      for (const [name, value] of Object.entries(query)) address.searchParams.set(name, String(value));
      const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      /* Signed out, or no longer allowed: asking again would not help. */
      const json = (answer.headers.get("Content-Type") || "").includes("json");
      if ([401, 403, 404].includes(answer.status) || (answer.ok && !json)) { this.complete = true; this.root.classList.add("is-stale"); this.say(words.logDenied); return null; }
      if (!answer.ok) throw new Error(String(answer.status));
      this.root.classList.remove("is-stale");
      return answer.json();
    }

    /* One thing at a time: what is asked for meanwhile comes after. */
    turn(work) {
      const run = async () => {
        this.busy = true;
        clearTimeout(this.timer);
        try {
          await work();
        } catch {
          this.root.classList.add("is-stale");
          this.say(words.offline);
          this.later(4000);
        } finally {
          this.busy = false;
        }
      };
      this.queue = (this.queue || Promise.resolve()).then(run);
      return this.queue;
    }

    fetch() {
      if (this.busy || this.complete || !this.root.isConnected) return undefined;
      return this.turn(async () => {
        const part = await this.ask(this.cut ? { line: this.line } : { after: this.after });
        if (part) this.take(part);
      });
    }

    /* {"text", "first_line", "next", "complete", "size", "lines"}: text from the offset on, the number of its first
       line, the offset after it, and whether that is all there will be. */
    take(part) {
      const behind = (part.size || part.next) - part.next;
      if (this.follow.checked && behind > BEHIND && part.lines - part.first_line > 3 * WINDOW) return void this.goToEnd();
      const grown = part.next > this.after || this.cut;
      if (!this.held && part.first_line) this.line = part.first_line;
      if (!this.lines.childElementCount) this.first = this.line;
      this.size(part);
      const pieces = (this.held + part.text).split("\n");
      this.held = pieces.pop();
      if (part.complete && this.held) { pieces.push(this.held); this.held = ""; }
      this.after = part.next;
      this.cut = false;
      this.append(pieces);
      this.complete = part.complete;
      this.caughtUp = part.complete || behind <= 0;
      return this.goOn(grown);
    }

    size(part) { this.total = Math.max(part.lines || 0, this.total || 0); }

    goOn(grown) {
      this.showPlace();
      if (this.complete) return this.say(words.logEnd);
      const reading = !this.follow.checked && (!this.caughtUp || this.lines.childElementCount >= MOST_LINES);
      if (reading) return this.offerMore();
      this.say(grown ? "" : words.logWaiting);
      return this.later(grown ? 0 : document.hidden ? POLL * 5 : POLL);
    }

    append(texts) {
      const block = document.createDocumentFragment();
      for (const text of texts) {
        const number = this.line++;
        const repeated = REPEATED.exec(text);
        if (repeated && this.repeats.has(repeated[1])) {
          this.repeats.get(repeated[1]).lastChild.textContent = text;
          continue;
        }
        const row = this.row(number, text);
        if (repeated) this.repeats.set(repeated[1], row);
        block.append(row);
      }
      this.lines.append(block);
      this.drop();
      if (this.follow.checked) this.toEnd();
    }

    row(number, text) {
      const row = document.createElement("li");
      row.className = "log__line";
      row.id = `L${number}`;
      const label = document.createElement("span");
      label.className = "log__number";
      label.textContent = String(number);
      const body = document.createElement("span");
      body.textContent = text.length > LONGEST_LINE ? text.slice(0, LONGEST_LINE) + fill(words.logCut, { n: text.length }) : text;
      row.append(label, body);
      if (ERROR.test(text)) { row.classList.add("log__line--error"); this.noteError(number, text); }
      else if (WARNING.test(text)) row.classList.add("log__line--warning");
      else if (GOOD.test(text)) row.classList.add("log__line--good");
      this.finder?.mark(row);
      return row;
    }

    noteError(number, text) {
      if (this.noted.has(number) || ++this.errorCount > 50) return;
      this.noted.add(number);
      if (!this.errorList) { this.errorList = document.createElement("ol"); this.errors.append(this.errorList); this.errors.hidden = false; }
      const item = document.createElement("li"), link = document.createElement("a");
      link.href = `#L${number}`;
      link.textContent = `${number}: ${text.replace(/^[│╷]\s*/, "").slice(0, 400)}`;
      item.append(link);
      this.errorList.append(item);
    }

    /* The page keeps so many lines; the oldest leave it, not the portal. */
    drop() {
      let over = this.lines.childElementCount - MOST_LINES;
      if (over <= 0) return;
      while (over-- > 0) this.lines.firstElementChild.remove();
      this.first = this.lineOf(this.lines.firstElementChild);
    }

    lineOf(row) { return Number(row.id.slice(1)); }

    /* What stands before the first line shown: WINDOW lines more, and as many fewer at the other end. */
    prepend() {
      return this.turn(async () => {
        const from = Math.max(1, this.first - WINDOW), texts = [];
        let query = { line: from };
        while (texts.length < this.first - from) {
          const part = await this.ask(query);
          if (!part) return;
          if (!part.text) break;
          const pieces = part.text.split("\n");
          if (texts.length) texts[texts.length - 1] += pieces.shift();
          texts.push(...pieces);
          query = { after: part.next };
        }
        const rows = texts.slice(0, this.first - from).map((text, index) => this.row(from + index, text));
        const height = this.scroll.scrollHeight;
        this.follow.checked = false;
        this.lines.prepend(...rows);
        this.first = from;
        if (this.lines.childElementCount > MOST_LINES) {
          while (this.lines.childElementCount > MOST_LINES) this.lines.lastElementChild.remove();
          this.line = this.lineOf(this.lines.lastElementChild) + 1;
          this.held = "";
          this.repeats = new Map();
          this.cut = true;
          this.caughtUp = this.complete = false;
        }
        this.scrolling = true;
        this.scroll.scrollTop += this.scroll.scrollHeight - height;
        this.goOn(false);
      });
    }

    /* Show this line: where it is, or in a window of its own. */
    async goTo(line) {
      this.follow.checked = false;
      if (!document.getElementById(`L${line}`)) {
        await this.turn(async () => {
          let part = await this.ask({ line: Math.max(1, line - 100) });
          if (!part) return;
          this.clear(part.first_line);
          this.takeSome(part);
          /* Lines so long that a piece holds few of them. */
          while (part && part.text && this.line <= line && !this.complete) {
            part = await this.ask({ after: this.after });
            if (part) this.takeSome(part);
          }
        });
      }
      const row = document.getElementById(`L${line}`) || this.folded(line);
      if (!row) return;
      this.scrolling = true;
      row.scrollIntoView({ block: "center" });
      this.select(row);
    }

    /* A repeated line is folded into its first: that one stands for it. */
    folded(line) {
      let best = null;
      for (const row of this.lines.children) { if (this.lineOf(row) > line) break; best = row; }
      return best;
    }

    /* Of a large piece only so many lines, and the place after them. */
    takeSome(part) {
      const pieces = part.text.split("\n");
      if (pieces.length - 1 <= 2 * WINDOW) return this.take(part);
      const text = pieces.slice(0, 2 * WINDOW).join("\n") + "\n";
      return this.take({ ...part, text, next: part.offset + bytes(text), complete: false });
    }

    goToEnd() {
      this.follow.checked = true;
      return this.turn(async () => {
        const part = await this.ask({ tail: 1 });
        if (!part) return;
        this.clear(part.first_line);
        this.take(part);
        if (!this.complete) this.later(0);
        this.toEnd();
      });
    }

    offerMore() {
      this.foot.replaceChildren(button(words.logMore, () => this.fetch()), ` ${this.place()}`);
    }

    place() { return fill(words.logBetween, { first: this.first, last: this.line - 1, lines: Math.max(this.total || 0, this.line - 1) }); }

    showPlace() { if (this.earlier) this.earlier.hidden = this.first <= 1; }

    say(text) {
      const full = this.first > 1 && text !== words.logDenied ? `${this.place()}. ${text}` : text;
      if (this.foot.textContent !== full) this.foot.textContent = full;
    }

    /* One line is the chosen one: by a click on its number, a search, the error list or the address. */
    select(row) {
      for (const old of this.lines.querySelectorAll(".is-target")) old.classList.remove("is-target");
      row.classList.add("is-target");
      this.copyLink.hidden = false;
      this.copyLink.dataset.copy = `${location.origin}${location.pathname}${location.search}#${row.id}`;
      this.copyLink.textContent = fill(words.lineLink, { n: row.id.slice(1) });
    }
  }

  /* Looking for a text in the whole log, and going to a line. The portal searches, a while at a time. */
  class Finder {
    constructor(log) {
      this.log = log;
      this.url = log.root.dataset.logSearchUrl;
      this.found = log.part("found");
      this.results = log.part("results");
      this.matches = [];
      log.search.addEventListener("input", () => { clearTimeout(this.typing); this.typing = setTimeout(() => this.begin(), TYPING); });
      log.search.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); this.step(event.shiftKey ? -1 : 1); } });
      if (this.results) {
        this.list = this.results.querySelector("ol");
        this.more = this.results.querySelector("button");
        this.more.addEventListener("click", () => this.look());
        this.list.addEventListener("click", (event) => log.pressed(event, "a", (link) => link.hash.slice(1)));
      }
      const line = log.part("line");
      if (!line) return;
      line.disabled = false;
      line.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        if (/^\d+$/.test(line.value)) log.goTo(Math.max(1, Number(line.value)));
      });
    }

    get wanted() { return this.log.search.value.toLowerCase(); }

    mark(row) { row.classList.toggle("is-match", this.wanted !== "" && row.lastChild.textContent.toLowerCase().includes(this.wanted)); }

    async begin() {
      clearTimeout(this.typing);
      this.typing = null;
      const wanted = this.searched = this.wanted;
      this.matches = [];
      this.at = -1;
      this.after = 0;
      if (this.list) { this.list.replaceChildren(); this.results.hidden = true; }
      for (const row of this.log.lines.children) this.mark(row);
      this.found.textContent = "";
      if (!wanted) return;
      if (this.url) { await this.look(); return; }
      for (const row of this.log.lines.children) if (row.classList.contains("is-match")) this.matches.push(this.log.lineOf(row));
      this.found.textContent = fill(words.logMatches, { n: this.matches.length });
      this.step(1);
    }

    async look() {
      const wanted = this.searched, address = new URL(this.url, location.href);
      address.searchParams.set("q", wanted);
      address.searchParams.set("after", String(this.after));
      this.found.textContent = words.logSearching;
      let part;
      try {
        const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
        if (!answer.ok) throw new Error(String(answer.status));
        part = await answer.json();
      } catch {
        this.found.textContent = words.offline;
        return;
      }
      /* Something else was typed meanwhile. */
      if (wanted !== this.searched) return;
      this.after = part.next;
      this.show(part);
    }

    show(part) {
      for (const match of part.matches) {
        if (this.matches[this.matches.length - 1] === match.line) continue;
        this.matches.push(match.line);
        const item = document.createElement("li"), link = document.createElement("a");
        link.href = `#L${match.line}`;
        link.textContent = `${match.line}: ${match.text}`;
        item.append(link);
        this.list.append(item);
      }
      const n = this.matches.length, whole = part.next === null;
      this.found.textContent = whole ? fill(words.logMatches, { n }) : fill(words.logSearchOn, { n, line: part.line, lines: part.lines });
      this.more.hidden = whole;
      this.results.hidden = n === 0 && whole;
      if (this.at < 0 && n) this.step(1);
    }

    step(by) {
      if (this.typing || this.searched !== this.wanted) { this.begin(); return; }
      if (!this.matches.length) return;
      this.at = (this.at + by + this.matches.length) % this.matches.length;
      this.log.goTo(this.matches[this.at]);
    }
  }

  const start = (root) => { for (const box of [...root.querySelectorAll("[data-log]"), ...(root.matches && root.matches("[data-log]") ? [root] : [])]) if (!box.dataset.ready) { box.dataset.ready = "yes"; new Log(box); } };
  document.addEventListener("htmx:afterSwap", (event) => start(event.target));
  start(document);
})();
