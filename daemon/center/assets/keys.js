// SPDX-License-Identifier: MIT
// Single keys for what one does all day; off in fields, and switched off for good by whoever doesn't want them.
import { words } from "./page.js";

const on = () => localStorage.getItem("keys") !== "off";

function help() {
	const box = document.getElementById("keys").content.firstElementChild.cloneNode(true);
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
	button.textContent = words.keys;
	button.addEventListener("click", help);
	nav.prepend(button);
	document.addEventListener("keydown", press);
}
