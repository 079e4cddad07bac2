/* The page of LEAT_DOCS: shows the document that stands in it, and sends requests. Text only ever becomes text: nothing here makes markup. */
"use strict";

const api = JSON.parse(document.getElementById("document").textContent);
const methods = ["get", "head", "post", "put", "patch", "delete", "options"];
const shownMost = 1 << 20; /* bytes of a reply */

/* node("a", {href: "#x", class: "y"}, "text", otherNode) */
function node(name, attributes, ...children) {
	const made = document.createElement(name);

	for (const [key, value] of Object.entries(attributes || {}))
		if (key.startsWith("on"))
			made.addEventListener(key.slice(2), value);
		else if (value !== null && value !== false)
			made.setAttribute(key, value === true ? "" : value);
	made.append(...children.flat().filter((child) => child !== null));
	return made;
}

function resolve(thing) {
	while (thing && thing.$ref)
		thing = thing.$ref.slice(2).split("/").reduce((at, key) => at[key.replaceAll("~1", "/").replaceAll("~0", "~")], api);
	return thing;
}

/* Schemas */

function typeOf(schema) {
	const alternatives = schema.anyOf || [];
	const types = [schema.type || []].flat();

	if (schema.$ref)
		return schema.$ref.split("/").pop();
	if (alternatives.length)
		return alternatives.map(typeOf).join(" or ");
	if (schema.items)
		return types.map((type) => type === "array" ? `array of ${typeOf(schema.items)}` : type).join(" or ");
	return types.join(" or ") || "any";
}

function limitsOf(schema) {
	const words = [];
	const range = (least, most, unit) => {
		if (least !== undefined && most !== undefined)
			words.push(`${least} to ${most}${unit}`);
		else if (least !== undefined)
			words.push(`at least ${least}${unit}`);
		else if (most !== undefined)
			words.push(`at most ${most}${unit}`);
	};

	if (schema.format)
		words.push(schema.format);
	if (schema.contentEncoding)
		words.push(schema.contentEncoding);
	range(schema.minimum, schema.maximum, "");
	range(schema.minLength, schema.maxLength, " characters");
	range(schema.minItems, schema.maxItems, " items");
	if (schema.pattern)
		words.push(schema.pattern);
	if (schema.description)
		words.push(schema.description);
	return words.join(", ");
}

/* The schemas with members of their own that stand in it. */
function insideOf(schema) {
	if (schema.items)
		return insideOf(schema.items);
	if (schema.anyOf)
		return schema.anyOf.flatMap(insideOf);
	const target = resolve(schema);
	return target.properties ? [target] : [];
}

function memberLine(name, schema, isNeeded) {
	const line = [node("strong", null, name), " ", typeOf(schema), " ", node("span", {class: "quiet"}, limitsOf(schema)),
		isNeeded ? node("span", {class: "needed"}, " required") : null];
	const inside = insideOf(schema);

	return inside.length ? lazily(line, () => inside.map(memberList)) : node("div", null, line);
}

function memberList(schema) {
	const needed = schema.required || [];

	return node("ul", null, Object.entries(schema.properties).map(
		([name, member]) => node("li", null, memberLine(name, member, needed.includes(name)))));
}

/* Shapes may hold themselves: what is inside is made when it is opened. */
function lazily(line, make) {
	const made = node("details", {ontoggle: () => {
		if (made.open && made.children.length === 1)
			made.append(...make());
	}}, node("summary", null, line));

	return made;
}

function schemaNode(schema) {
	return node("div", {class: "schema"}, node("div", null, typeOf(schema), " ", node("span", {class: "quiet"}, limitsOf(schema))),
		insideOf(schema).map(memberList));
}

const samples = {
	"date-time": "2026-01-31T09:30:00Z", date: "2026-01-31", uuid: "5b2d3a52-7e9c-4d6f-8a4e-0f6f6f6f6f6f",
	email: "ada@example.org",
};

/* A value to begin with; it keeps to the limits where that is easy. */
function sampleOf(schema, depth = 0) {
	const target = resolve(schema);
	const type = [target.type || []].flat()[0];

	if (target.anyOf)
		return sampleOf(target.anyOf[0], depth);
	if (type === "object")
		return depth > 4 ? {} : Object.fromEntries(Object.entries(target.properties).map(
			([name, member]) => [name, sampleOf(member, depth + 1)]));
	if (type === "array")
		return depth > 4 ? [] : Array.from({length: Math.min(target.minItems || 1, target.maxItems ?? 1)},
			() => sampleOf(target.items, depth + 1));
	if (type === "string")
		return target.contentEncoding ? "AAAA".repeat((target.minLength || 4) / 4) :
			(samples[target.format] || "text").padEnd(target.minLength || 0, "x").slice(0, target.maxLength);
	if (type === "integer" || type === "number")
		return Math.min(Math.max(target.minimum ?? 1, 1), target.maximum ?? 1);
	return type === "boolean" ? true : null;
}

/* Requests */

const credentials = new Map(); /* by the scheme's name; they are never kept beyond the page */

function asBase64(text) {
	return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/* Of all alternatives the first for which something was filled in. */
function addCredentials(operation, headers) {
	const alternatives = operation.security || api.security || [];
	const filled = (alternative) => Object.keys(alternative).some((name) => credentials.get(name));

	for (const name of Object.keys(alternatives.find(filled) || {})) {
		const scheme = api.components.securitySchemes[name];
		const value = credentials.get(name);

		if (!value)
			continue;
		if (scheme.type === "apiKey" && scheme.in === "header")
			headers.set(scheme.name, value);
		else if (scheme.scheme === "basic")
			headers.set("Authorization", `Basic ${asBase64(value)}`);
		else if (scheme.type === "http")
			headers.set("Authorization", `Bearer ${value}`);
	}
}

function fillPath(template, parameters, values) {
	return parameters.reduce((path, parameter) => {
		const value = values.get(parameter.name) || "";
		const escaped = parameter["x-leat-tail"] ? value.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(value);

		return path.replace(`{${parameter.name}}`, () => escaped);
	}, template);
}

function readHeaders(text, headers) {
	for (const line of text.split("\n").filter((line) => line.trim())) {
		const colon = line.indexOf(":");

		headers.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
	}
}

function quoted(word) {
	return `'${word.replaceAll("'", "'\\''")}'`;
}

function asCurl(method, url, headers, body) {
	const words = ["curl", "-i", "-X", method.toUpperCase(), quoted(new URL(url, location).href)];

	for (const [name, value] of headers)
		words.push("-H", quoted(`${name}: ${value}`));
	if (body !== undefined)
		words.push("--data-binary", quoted(body));
	return words.join(" ");
}

/* Replies */

/* JSON with lines and indentation, token by token: JSON.parse would round large numbers. */
function indented(text) {
	const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) || [];
	let depth = 0, out = "";
	const line = () => `\n${"  ".repeat(depth)}`;

	tokens.forEach((token, i) => {
		const before = tokens[i - 1];

		if (token === "}" || token === "]") {
			depth--;
			out += before === "{" || before === "[" ? token : line() + token;
		} else {
			if (before === "{" || before === "[" || before === ",")
				out += line();
			out += token === ":" ? ": " : token;
			if (token === "{" || token === "[")
				depth++;
		}
	});
	return out;
}

function isJson(type) {
	return /^application\/([^;]+\+)?json\b/.test(type);
}

function isReadable(type) {
	return isJson(type) || /^text\/|xml|javascript|urlencoded/.test(type);
}

/* Shows what comes as it comes: a stream may have no end. */
async function showBody(reply, output) {
	const type = reply.headers.get("Content-Type") || "";
	const reader = reply.body ? reply.body.getReader() : null;
	const decoder = new TextDecoder();
	let bytes = 0, text = "";

	while (reader) {
		const {done, value} = await reader.read();

		if (done)
			break;
		bytes += value.length;
		if (isReadable(type)) {
			const piece = decoder.decode(value, {stream: true});

			text += piece;
			output.append(piece);
		}
		if (bytes > shownMost) {
			await reader.cancel();
			output.append(`\n(more than ${shownMost} bytes: the rest is left out)`);
			return;
		}
	}
	if (isJson(type))
		output.textContent = indented(text);
	else if (bytes > 0 && !isReadable(type))
		output.textContent = `${bytes} bytes of ${type || "no type"}`;
	output.hidden = bytes === 0;
}

function showHead(reply, milliseconds, status, headers) {
	status.replaceChildren(
		node("span", {class: `status ${reply.ok ? "good" : "bad"}`}, `${reply.status} ${reply.statusText}`),
		node("span", {class: "quiet"}, ` in ${Math.round(milliseconds)} ms${reply.redirected ? `, from ${reply.url}` : ""}`));
	headers.textContent = [...reply.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
}

function requestForm(template, method, operation) {
	const parameters = operation.parameters || [];
	const bodySchema = operation.requestBody ? operation.requestBody.content["application/json"].schema : null;
	const inputs = new Map(parameters.map((parameter) => [parameter.name, node("input", {
		name: parameter.name, autocomplete: "off", spellcheck: "false", required: !parameter["x-leat-tail"],
	})]));
	const body = bodySchema ? node("textarea", {name: "body", rows: 8, spellcheck: "false"}) : null;
	const query = node("input", {name: "query", autocomplete: "off", spellcheck: "false", placeholder: "name=value&name=value"});
	const more = node("textarea", {name: "headers", rows: 2, spellcheck: "false", placeholder: "Name: value"});
	const stop = node("button", {type: "button", class: "plain", hidden: true}, "Stop");
	const status = node("p", {role: "status", class: "reply-status"});
	const curl = node("pre"), headers = node("pre"), output = node("pre", {class: "reply-body", tabindex: "0", "aria-label": "Body of the reply"});
	const shown = node("div", {hidden: true}, output,
		node("details", null, node("summary", null, "Headers of the reply"), headers),
		node("details", null, node("summary", null, "The same by curl"), curl));
	let aborter = null;

	async function send(event) {
		event.preventDefault();
		aborter?.abort();

		const mine = aborter = new AbortController();
		const sent = new Headers();
		const values = new Map([...inputs].map(([name, input]) => [name, input.value]));
		const url = fillPath(template, parameters, values) + (query.value ? `?${query.value.replace(/^\?/, "")}` : "");
		const began = performance.now();

		output.textContent = headers.textContent = "";
		output.hidden = shown.hidden = true;
		status.textContent = "Sending …";
		stop.hidden = false;
		try {
			if (body)
				sent.set("Content-Type", "application/json");
			addCredentials(operation, sent);
			readHeaders(more.value, sent);
			curl.textContent = asCurl(method, url, sent, body?.value);

			const reply = await fetch(url, {method: method.toUpperCase(), headers: sent, body: body?.value, cache: "no-store", signal: mine.signal});

			if (mine !== aborter)
				return;
			showHead(reply, performance.now() - began, status, headers);
			output.hidden = shown.hidden = false;
			await showBody(reply, output);
		} catch (fault) {
			if (mine === aborter)
				status.append(node("span", {class: "bad"}, fault.name === "AbortError" ? " Stopped." : ` No reply: ${fault.message}`));
		} finally {
			if (mine === aborter)
				stop.hidden = true;
		}
	}

	stop.addEventListener("click", () => aborter.abort());
	if (body)
		body.value = JSON.stringify(sampleOf(bodySchema), null, 2);
	return node("form", {onsubmit: send},
		parameters.map((parameter) => node("label", {class: "field"},
			node("span", null, node("code", null, parameter.name), " ", node("span", {class: "quiet"},
				`${typeOf(parameter.schema)} ${limitsOf(parameter.schema)} ${parameter.description || ""}`)),
			inputs.get(parameter.name))),
		body ? node("label", {class: "field"}, node("span", null, "Body"), body) : null,
		node("details", null, node("summary", null, "Query and headers"),
			node("label", {class: "field"}, node("span", null, "Query"), query),
			node("label", {class: "field"}, node("span", null, "Headers, one a line"), more)),
		node("div", {class: "row"}, node("button", {type: "submit"}, "Send"), stop),
		status, shown);
}

/* The page */

function replyNode(status, reply) {
	const content = Object.entries(resolve(reply).content || {});
	const words = [node("code", null, status), " ", resolve(reply).description];

	if (!content.length)
		return node("div", null, words);
	return lazily(words, () => content.flatMap(([type, {schema}]) => [node("div", {class: "quiet"}, type), schemaNode(schema)]));
}

function securityWords(operation) {
	return operation.security.map((alternative) => Object.entries(alternative).map(
		([name, scopes]) => scopes.length ? `${name} with ${scopes.join(", ")}` : name).join(" and ") || "nothing").join(", or ");
}

function operationInside({template, method, operation}) {
	const body = operation.requestBody;

	return node("div", {class: "inside"},
		operation.description ? node("p", {class: "words"}, operation.description) : null,
		operation.security ? node("p", null, "Needs ", securityWords(operation), ".") : null,
		node("h3", null, "Request"),
		body ? schemaNode(body.content["application/json"].schema) : null,
		requestForm(template, method, operation),
		node("h3", null, "Replies"),
		node("div", {class: "replies"}, Object.entries(operation.responses).map(([status, reply]) => replyNode(status, reply))));
}

/* What is inside an operation is made when it is opened: a document may have thousands. */
function operationNode(entry) {
	const {template, method, operation} = entry;
	const made = node("details", {class: "operation", id: operation.operationId, ontoggle: () => {
		if (made.open && made.children.length === 1)
			made.append(operationInside(entry));
	}}, node("summary", null, node("span", {class: `method ${method}`}, method.toUpperCase()), node("span", {class: "path"}, template),
		node("span", {class: "quiet"}, operation.summary || ""),
		operation.security ? node("span", {title: "Needs credentials", role: "img", "aria-label": "needs credentials"}, "\u{1F512}\uFE0E") : null));

	return made;
}

function indexNode({template, method, operation}) {
	return node("li", null, node("a", {href: `#${encodeURIComponent(operation.operationId)}`, title: operation.summary || "",
		onclick: () => setTimeout(openTarget)}, /* the same place again is no hashchange */
		node("span", {class: `method ${method}`}, method.toUpperCase()), node("span", null, template)));
}

function credentialsNode() {
	const schemes = Object.entries(api.components.securitySchemes || {});
	const hints = {basic: "user:password", bearer: "the token"};
	const field = ([name, scheme]) => scheme.in === "cookie" ?
		node("p", {class: "quiet"}, `${name}: the cookie ${scheme.name}, which the browser sends by itself.`) :
		node("form", {onsubmit: (event) => event.preventDefault()}, node("label", {class: "field"},
			node("span", null, node("code", null, name), " ", node("span", {class: "quiet"}, hints[scheme.scheme] || scheme.name)),
			node("input", {type: "password", autocomplete: "off", name: `credentials ${name}`,
				oninput: (event) => credentials.set(name, event.target.value)})));

	return schemes.length ? node("details", {class: "credentials"}, node("summary", null, "Credentials"),
		node("div", {class: "inside"}, node("p", {class: "quiet"}, "They are sent with requests from this page, and forgotten with it."),
			schemes.map(field))) : null;
}

function entries() {
	return Object.entries(api.paths).flatMap(([template, item]) => methods.filter((method) => item[method]).map(
		(method) => ({template, method, operation: item[method]})));
}

function groups() {
	const found = new Map();

	for (const entry of entries()) {
		const name = (entry.operation.tags || ["other"])[0];

		found.set(name, [...(found.get(name) || []), entry]);
	}
	return [...found].sort(([left], [right]) => left.localeCompare(right));
}

function filterBy(words, list) {
	const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
	let count = 0;

	for (const {entry, line, article} of list) {
		const text = `${entry.method} ${entry.template} ${entry.operation.summary} ${entry.operation.operationId} ${entry.operation.tags}`.toLowerCase();
		const fits = wanted.every((word) => text.includes(word));

		line.hidden = article.hidden = !fits;
		count += fits;
	}
	for (const group of document.querySelectorAll("section"))
		group.hidden = !group.querySelector(".operation:not([hidden]), li:not([hidden])");
	document.getElementById("found").textContent = wanted.length ? `${count} of ${list.length}` : "";
}

function openTarget() {
	const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));

	for (const link of document.querySelectorAll("#index a"))
		link.toggleAttribute("aria-current", false);
	if (!target?.classList.contains("operation"))
		return;
	target.open = true;
	target.scrollIntoView();
	target.querySelector("summary").focus({preventScroll: true});
	for (const link of document.querySelectorAll("#index a"))
		if (link.hash === location.hash)
			link.setAttribute("aria-current", "true");
}

function build() {
	const list = [];
	const filter = document.getElementById("filter");
	const main = document.getElementById("operations");

	document.title = `${api.info.title} ${api.info.version}`;
	document.getElementById("title").textContent = api.info.title;
	document.getElementById("version").textContent = api.info.version;
	main.append(...[credentialsNode()].filter(Boolean));
	for (const [name, group] of groups()) {
		const made = group.map((entry) => ({entry, line: indexNode(entry), article: operationNode(entry)}));

		list.push(...made);
		document.getElementById("index").append(node("section", null, node("h2", null, name), node("ul", null, made.map(({line}) => line))));
		main.append(node("section", null, node("h2", null, name), made.map(({article}) => article)));
	}
	filter.addEventListener("input", () => filterBy(filter.value, list));
	addEventListener("hashchange", openTarget);
	addEventListener("keydown", (event) => {
		if (event.key === "/" && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) {
			event.preventDefault();
			filter.focus();
		}
	});
	openTarget();
}

build();
