// SPDX-License-Identifier: MIT
// What others change appears. The stream is there only while the page is seen: a browser has few connections to a host.
import { load, refresh, subject } from "./page.js";

let source, waiting, since;

// Who changed it last, by the customer's history.
async function who() {
	if (!location.pathname.startsWith("/customers/"))
		return "";
	const { page } = await load(`${subject(location.pathname)}/history`);
	return page.querySelector("#rows li b")?.textContent;
}

// Many events at once are one look.
function look() {
	clearTimeout(waiting);
	waiting = setTimeout(() => refresh({ who }).catch(() => {}), 50);
}

// What has changed since the page was made is heard first.
function listen(topics) {
	source = new EventSource(`/api/v1/live?topics=${topics}&since=${since}`);
	for (const topic of ["customer", "holds", "mails", "jobs"])
		source.addEventListener(topic, event => {
			since = event.lastEventId;
			look();
		});
}

function deaf() {
	source?.close();
	source = null;
}

export function live() {
	const topics = document.getElementById("main").dataset.live;
	if (!topics || !document.querySelector("[data-region]"))
		return;
	since = document.getElementById("main").dataset.since;
	document.addEventListener("visibilitychange", () => {
		if (document.hidden) {
			deaf();
		} else if (!source) {
			listen(topics);
		}
	});
	addEventListener("pagehide", deaf);
	if (!document.hidden)
		listen(topics);
}
