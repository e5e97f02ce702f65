// SPDX-License-Identifier: MIT
// Uploads: what was chosen is shown at once, and how far it is.
import { refresh, say, words } from "./page.js";

function preview(form) {
	const shown = form.querySelector(".thumbs");
	shown.querySelectorAll("img").forEach(old => URL.revokeObjectURL(old.src));
	shown.replaceChildren();
	for (const file of form.elements.file.files) {
		if (!/^image\/(png|jpeg|webp|gif)$/.test(file.type))
			continue;
		const picture = document.createElement("img");
		picture.src = URL.createObjectURL(file);
		picture.alt = file.name;
		shown.append(picture);
	}
}

function send(form, bar) {
	return new Promise((done, fail) => {
		const request = new XMLHttpRequest();
		request.open("POST", form.getAttribute("action"));
		request.responseType = "document";
		request.upload.addEventListener("progress", event => { bar.value = event.loaded / event.total; });
		request.addEventListener("load", () => done(request));
		request.addEventListener("error", fail);
		request.send(new FormData(form));
	});
}

async function submit(event) {
	const form = event.target.closest("form[data-upload]");
	if (!form)
		return;
	const bar = form.querySelector("progress");
	event.preventDefault();
	bar.hidden = false;
	try {
		const { status, response } = await send(form, bar);
		const fault = response?.querySelector("[role=alert]:not(.alert)");
		if (status === 200 && !fault) {
			form.reset();
			preview(form);
			await refresh({ force: true });
		}
		say(status === 200 && !fault ? words.uploaded : fault?.textContent || words.failed);
	} catch {
		say(words.notUploaded);
	}
	bar.hidden = true;
}

export function uploads() {
	document.addEventListener("submit", submit);
	document.addEventListener("change", event => {
		const form = event.target.closest("form[data-upload]");
		if (form && event.target.name === "file")
			preview(form);
	});
}
