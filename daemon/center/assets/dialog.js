// SPDX-License-Identifier: MIT
// A form's page as a dialog: the same page, fetched, and its form sent from where one is.
import { load, refresh, say, subject, words } from "./page.js";

// The part of a page that a dialog shows.
function part(page) {
	return page.querySelector("main [data-part]");
}

class Dialog {
	constructor(opener) {
		this.opener = opener;
		this.box = document.createElement("dialog");
		this.box.addEventListener("close", () => this.end());
		this.box.addEventListener("submit", event => this.submit(event));
		this.box.addEventListener("click", event => {
			if (event.target.closest("[data-close]")) {
				event.preventDefault();
				this.box.close();
			}
		});
	}

	fill(shown) {
		const close = document.createElement("button");
		const head = shown.querySelector("h1, h2");
		close.type = "button";
		close.className = "plain close";
		close.dataset.close = "";
		close.textContent = words.close;
		if (head) {
			head.id = "dialog-head";
			this.box.setAttribute("aria-labelledby", head.id);
		}
		shown.querySelector("form :is(input:not([type=hidden]), textarea, select, button)")?.setAttribute("autofocus", "");
		this.box.replaceChildren(close, document.adoptNode(shown));
		shown.dispatchEvent(new CustomEvent("center:shown", { bubbles: true }));
	}

	open(shown) {
		document.body.append(this.box);
		this.fill(shown);
		this.box.showModal();
	}

	// The opener may have been replaced by a newer one.
	end() {
		this.box.remove();
		const same = this.opener.isConnected ? this.opener
			: [...document.querySelectorAll("a[data-dialog]")].find(link => link.href === this.opener.href);
		same?.focus();
	}

	async submit(event) {
		const form = event.target, body = new URLSearchParams(new FormData(form));
		if (form.enctype === "multipart/form-data")
			return;
		event.preventDefault();
		if (event.submitter?.name)
			body.append(event.submitter.name, event.submitter.value);
		try {
			const { answer, page } = await load(form.getAttribute("action"), { method: "POST", body });
			if (answer.ok && answer.redirected)
				await this.saved(new URL(answer.url));
			else if (part(page))
				this.fill(part(page));
			else
				say(page.querySelector("[role=alert]")?.textContent || words.failed);
		} catch {
			say(words.unsaved);
		}
		this.box.querySelector("[role=alert], [aria-invalid]")?.scrollIntoView({ block: "nearest" });
	}

	// On the same customer one stays where one is.
	async saved(where) {
		if (subject(where.pathname) !== subject(location.pathname)) {
			location.assign(where);
			return;
		}
		await refresh({ force: true });
		this.box.close();
		say(words.saved);
	}
}

async function open(link) {
	try {
		const { answer, page } = await load(link.href);
		if (answer.ok && part(page))
			new Dialog(link).open(part(page));
		else
			location.assign(link.href);
	} catch {
		location.assign(link.href);
	}
}

export function dialogs() {
	document.addEventListener("click", event => {
		const link = event.target.closest("a[data-dialog]");
		if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
			return;
		event.preventDefault();
		open(link);
	});
}
