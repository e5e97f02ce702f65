// SPDX-License-Identifier: MIT
// Pages as fragments: fetched, and put in the place of what is shown, region by region.

// The words of the page's language, and what belongs into their {blanks}.
export const words = document.getElementById("words")?.dataset ?? {};
export function fill(text, blanks) {
	return text.replace(/\{(\w+)\}/g, (all, name) => blanks[name] ?? all);
}

// Says something to everybody, those who don't see it too; it goes away by itself.
let silence;
export function say(text) {
	const said = document.getElementById("said");
	said.textContent = text;
	clearTimeout(silence);
	silence = setTimeout(() => { said.textContent = ""; }, 8000);
}

export async function load(url, options = {}) {
	const answer = await fetch(url, { credentials: "same-origin", ...options });
	const text = await answer.text();
	return { answer, page: new DOMParser().parseFromString(text, "text/html") };
}

// Changes some fields of a record, as it was seen at that version.
export function patch(url, version, values) {
	return fetch(url, { method: "PATCH", headers: { "Content-Type": "application/json", "If-Match": version },
		body: JSON.stringify(values) });
}

// The customer whose page it is: two parts of the path name it.
export function subject(path) {
	return path.split("/").slice(0, 3).join("/");
}

export function changedByHand(field) {
	if (field.type === "checkbox" || field.type === "radio")
		return field.checked !== field.defaultChecked;
	if (field.tagName === "SELECT")
		return [...field.options].some(option => option.selected !== option.defaultSelected);
	return field.type !== "hidden" && field.value !== field.defaultValue;
}

// Somebody is at work here: it has the focus, or holds what isn't saved.
function busy(region) {
	return region.contains(document.activeElement) ||
		[...region.querySelectorAll("input, textarea, select")].some(changedByHand);
}

function put(region, fresh) {
	region.replaceWith(document.adoptNode(fresh));
}

function offer(region, fresh, who) {
	region.querySelector(":scope > .changed")?.remove();
	const line = document.createElement("p");
	const button = document.createElement("button");
	line.className = "changed";
	line.textContent = who ? fill(words.changedBy, { who }) : words.changed;
	button.type = "button";
	button.textContent = words.show;
	button.addEventListener("click", () => put(region, fresh));
	line.append(button);
	region.prepend(line);
	say(line.firstChild.textContent);
}

// One's own change is shown by itself: what is heard of it meanwhile isn't somebody else's.
let changing = 0, shown = 0, own;
export function change(work) {
	const done = work().finally(() => { changing--; });
	changing++;
	own = done.catch(() => {});
	return done;
}

// Shows what is new on a page. Where somebody is at work nothing is touched: it is offered, unless it is `late`.
// `force` is for one's own changes.
export async function show(page, { force = false, who = async () => "", late = () => false } = {}) {
	let changed = false;
	shown += force;
	document.title = page.title;
	document.body.className = page.body.className;
	for (const region of document.querySelectorAll("[data-region]")) {
		const fresh = page.getElementById(region.id);
		const now = region.cloneNode(true);
		for (const open of region.querySelectorAll("details[id][open]"))
			fresh?.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
		now.querySelector(":scope > .changed")?.remove();
		if (!fresh || fresh.outerHTML === now.outerHTML)
			continue;
		changed = true;
		if (force || !busy(region))
			put(region, fresh);
		else {
			const name = await who();
			if (!late())
				offer(region, fresh, name);
		}
	}
	return changed;
}

// What is late, since one's own change has been shown meanwhile, is fetched again. null: the page can't be had now.
export async function refresh(options = {}) {
	for (;;) {
		while (changing > 0 && !options.force)
			await own;
		const before = shown;
		const late = () => !options.force && (changing > 0 || shown !== before);
		const { answer, page } = await load(location.href);
		if (answer.status >= 500)
			return null;
		if (!answer.ok || answer.redirected)
			return false;
		const changed = !late() && await show(page, { ...options, late });
		if (!late())
			return changed;
	}
}
