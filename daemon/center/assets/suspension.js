// SPDX-License-Identifier: MIT
// What a suspension would hold or reach, said before it is saved, as its form is filled in.
let asked = 0;

const count = (n, one, many) => n > 0 && `${n} ${n === 1 ? one : many}`;

function words({ mails, jobs, sites }) {
	const parts = [count(mails, "mail waits and is suppressed", "mails wait and are suppressed"),
		count(jobs, "job is held", "jobs are held"), count(sites, "site inherits it", "sites inherit it")].filter(Boolean);
	return `As it stands: ${parts.join(", ") || "no mail waits, no job is held, no site inherits it"}.`;
}

async function look(form) {
	const said = form.querySelector("[data-preview]"), mine = ++asked;
	const data = new FormData(form), query = new URLSearchParams();
	for (const name of ["from", "until"])
		if (data.get(name) && !(name === "until" && data.get("indefinite")))
			query.set(name, data.get(name));
	query.set("scopes", data.getAll("scopes").join(","));
	if (!query.get("scopes")) {
		said.textContent = "Nothing is suspended: choose jobs, routes or emails.";
		return;
	}
	const answer = await fetch(`${said.dataset.preview}?${query}`);
	if (mine === asked && answer.ok)
		said.textContent = words(await answer.json());
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
