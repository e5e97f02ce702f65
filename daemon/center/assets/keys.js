// SPDX-License-Identifier: MIT
// Single keys for what one does all day; off in fields, and switched off for good by whoever doesn't want them.
const HELP = [["/", "search"], ["s", "suspend or resume"], ["n", "add a note"], ["e", "edit the customer"], ["?", "these keys"]];

const on = () => localStorage.getItem("keys") !== "off";

function help() {
	const box = document.createElement("dialog");
	const list = HELP.map(([key, what]) => `<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`).join("");
	box.setAttribute("aria-labelledby", "keys-head");
	box.innerHTML = `<form method="dialog"><h1 id="keys-head">Keys</h1><dl>${list}</dl>
<p><label class="check"><input type="checkbox" name="on"> Use these keys</label></p><button class="primary">Close</button></form>`;
	const choice = box.querySelector("[name=on]");
	choice.checked = on();
	choice.addEventListener("change", () => localStorage.setItem("keys", choice.checked ? "on" : "off"));
	box.addEventListener("close", () => box.remove());
	document.body.append(box);
	box.showModal();
}

function press(event) {
	const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
	if (typing || event.ctrlKey || event.metaKey || event.altKey || !on() || document.querySelector("dialog[open]"))
		return;
	const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
	if (event.key !== "?" && !target)
		return;
	event.preventDefault();
	if (event.key === "?")
		help();
	else if (target.matches("input"))
		target.focus();
	else
		target.click();
}

export function keys() {
	const nav = document.querySelector("header nav");
	if (!nav)
		return;
	const button = document.createElement("button");
	button.type = "button";
	button.className = "plain";
	button.textContent = "Keys";
	button.addEventListener("click", help);
	nav.prepend(button);
	document.addEventListener("keydown", press);
}
