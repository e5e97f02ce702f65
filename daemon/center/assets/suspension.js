// SPDX-License-Identifier: MIT
// What a suspension would hold or reach, said before it is saved, as its form is filled in.
import { fill } from "./page.js";

let asked = 0;

function reach(words, counts) {
	const parts = ["mails", "jobs", "sites"].filter(key => counts[key] > 0)
		.map(key => fill(words[key + (counts[key] === 1 ? "One" : "Many")], { n: counts[key] }));
	return fill(words.whole, { parts: parts.join(", ") || words.none });
}

async function look(form) {
	const said = form.querySelector("[data-preview]"), mine = ++asked;
	const data = new FormData(form), query = new URLSearchParams();
	for (const name of ["from", "until"])
		if (data.get(name) && !(name === "until" && data.get("indefinite")))
			query.set(name, data.get(name));
	query.set("scopes", data.getAll("scopes").join(","));
	if (!query.get("scopes")) {
		said.textContent = said.dataset.unchosen;
		return;
	}
	const answer = await fetch(`${said.dataset.preview}?${query}`);
	if (mine === asked && answer.ok)
		said.textContent = reach(said.dataset, await answer.json());
}

function start(event) {
	const form = event.target.closest?.("form") || event.target.querySelector?.("form:has([data-preview])");
	if (!form?.querySelector("[data-preview]"))
		return;
	const until = form.elements.until, indefinite = form.elements.indefinite;
	if (event.target === indefinite && indefinite.checked)
		until.value = "";
	if (event.target === until && until.value && indefinite)
		indefinite.checked = false;
	look(form).catch(() => {});
}

export function suspension() {
	document.addEventListener("input", start);
	document.addEventListener("center:shown", start);
}
