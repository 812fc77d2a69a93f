/* Lists and maps of generated forms: rows come and go, names are renumbered so that none is missing. */
"use strict";

(() => {
  const MARKER = /^__(\d+)__$/;

  /* The next free index of a list: rows may have gaps after removals, names must only be unique and ordered. */
  function nextIndex(editor) {
    const used = Number(editor.dataset.next || editor.querySelector("[data-rows]").children.length);
    editor.dataset.next = String(used + 1);
    return used;
  }

  function addRow(editor, focus) {
    const blank = editor.querySelector(":scope > template[data-blank]");
    const marker = editor.dataset.marker;
    if (!MARKER.test(marker)) return;
    const box = document.createElement("template");
    box.innerHTML = blank.innerHTML.replaceAll(marker, String(nextIndex(editor)));
    const row = box.content.firstElementChild;
    editor.querySelector(":scope > [data-rows]").append(row);
    enhance(row);
    const input = row.querySelector("input, select, textarea");
    if (focus && input) input.focus();
    changed(editor);
  }

  function removeRow(row) {
    const editor = row.closest("[data-editor]");
    const near = row.nextElementSibling || row.previousElementSibling;
    row.remove();
    const input = near ? near.querySelector("input, select, textarea") : editor.querySelector(":scope > [data-add-row]");
    if (input) input.focus();
    changed(editor);
  }

  function changed(editor) {
    editor.dispatchEvent(new Event("input", { bubbles: true }));
    const form = editor.closest("form");
    const any = form && form.querySelector("input:not([type=hidden])");
    if (any) any.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function isBlank(row) {
    return [...row.querySelectorAll("input, textarea, select")].every((control) => control.value === "");
  }

  function enhance(root) {
    const editors = [...root.querySelectorAll("[data-editor]")];
    if (root.matches && root.matches("[data-editor]")) editors.unshift(root);
    for (const editor of editors) {
      if (editor.dataset.ready) continue;
      editor.dataset.ready = "yes";
      editor.dataset.next = String(editor.querySelector(":scope > [data-rows]").children.length);
      for (const row of editor.querySelectorAll(":scope > [data-rows] > [data-spare]")) if (isBlank(row)) row.remove();
      editor.querySelector(":scope > [data-add-row]").hidden = false;
    }
    for (const button of root.querySelectorAll("[data-remove-row]")) button.hidden = false;
  }

  document.addEventListener("click", (event) => {
    const add = event.target.closest("[data-add-row]");
    if (add) addRow(add.closest("[data-editor]"), true);
    const remove = event.target.closest("[data-remove-row]");
    if (remove) removeRow(remove.closest("[data-row]"));
  });
  for (const name of ["htmx:afterSwap", "htmx:oobAfterSwap"]) document.addEventListener(name, (event) => enhance(event.target));
  enhance(document.body);
})();
