// Shows the OpenAPI document of this server. Everything is text nodes: nothing of the document is ever read as markup.
const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

const token = document.getElementById("token");
token.value = sessionStorage.getItem("token") ?? "";
token.addEventListener("input", () => sessionStorage.setItem("token", token.value));
document.getElementById("access").addEventListener("submit", (event) => event.preventDefault());

const base = location.pathname.replace(/\/docs$/, ""); // where another program has mounted this one
let api;
const resolve = (schema) => {
  let found = schema ?? {};
  while (found.$ref) found = found.$ref.split("/").slice(1).reduce((at, part) => at[part], api);
  return found;
};
const typeOf = (schema) => {
  if (schema?.$ref) return schema.$ref.split("/").pop();
  const found = schema ?? {};
  if (found.enum) return found.enum.filter((member) => member !== null).join(" | ");
  if (found.anyOf) return found.anyOf.map(typeOf).join(" | ");
  if (found.type === "array") return `array of ${typeOf(found.items)}`;
  const name = Array.isArray(found.type) ? found.type.join(" | ") : found.type ?? "any";
  return found.format ? `${name} (${found.format})` : name;
};
const limitsOf = (schema) => {
  const words = { minimum: "at least", maximum: "at most", minLength: "min length", maxLength: "max length", minItems: "min items", maxItems: "max items", pattern: "pattern", default: "default" };
  return Object.entries(words).filter(([key]) => schema?.[key] !== undefined && Math.abs(schema[key]) !== 9223372036854775807 && Math.abs(schema[key]) < 2 ** 62 || (key === "pattern" && schema?.pattern))
    .map(([key, word]) => `${word} ${schema[key]}`).join(", ");
};
const sample = (schema, depth = 0) => {
  const found = resolve(schema);
  if (depth > 4) return null;
  if (found.default !== undefined) return found.default;
  if (found.enum) return found.enum[0];
  const type = Array.isArray(found.type) ? found.type[0] : found.type;
  if (type === "object" || found.properties) {
    const required = new Set(found.required ?? Object.keys(found.properties ?? {}));
    return Object.fromEntries(Object.entries(found.properties ?? {}).filter(([key]) => required.has(key)).map(([key, value]) => [key, sample(value, depth + 1)]));
  }
  if (type === "array") return [sample(found.items, depth + 1)];
  if (type === "integer" || type === "number") return Math.max(found.minimum > -1e15 ? found.minimum : 0, 0) || 1;
  if (type === "boolean") return true;
  const texts = { uuid: "00000000-0000-7000-8000-000000000000", email: "ada@example.com", date: "2026-01-31", "date-time": "2026-01-31T12:00:00Z", uri: "https://example.com" };
  return texts[found.format] ?? "text";
};

const row = (name, schema, required, description) => make("tr", {},
  make("td", { class: required ? "required" : "" }, name),
  make("td", { class: "type" }, typeOf(schema)),
  make("td", {}, [description ?? resolve(schema).description, limitsOf(schema)].filter(Boolean).join(" · ")));

const fields = (schema) => {
  const found = resolve(schema);
  const inner = found.type === "array" ? resolve(found.items) : found;
  const required = new Set(inner.required ?? []);
  return make("table", {}, ...Object.entries(inner.properties ?? {}).map(([name, part]) => row(name, part, required.has(name))));
};

const send = async (operation, form, output) => {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const parameter of operation.parameters ?? []) {
    const value = form.elements[`${parameter.in}:${parameter.name}`].value;
    if (value === "") continue;
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (parameter.in === "query") query.append(parameter.name, value);
    else if (parameter.in === "header") headers[parameter.name] = value;
  }
  if (token.value) headers.Authorization = `Bearer ${token.value}`;
  const body = form.elements.body?.value;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const began = performance.now();
  output.textContent = "…";
  try {
    const answer = await fetch(base + path + (query.size ? `?${query}` : ""), { method: operation.method, headers, body });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
    output.textContent = `${answer.status} ${answer.statusText} · ${Math.round(performance.now() - began)} ms\n\n${shown}`;
  } catch (error) {
    output.textContent = String(error);
  }
};

const tryOut = (operation) => {
  const output = make("pre", { hidden: true, "aria-live": "polite" });
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  const inputs = (operation.parameters ?? []).filter((parameter) => parameter.in !== "cookie").map((parameter) => {
    const id = `${operation.operationId}-${parameter.in}-${parameter.name}`;
    return make("div", {}, make("label", { for: id, class: parameter.required ? "required" : "" }, `${parameter.name} (${parameter.in})`),
      make("input", { id, name: `${parameter.in}:${parameter.name}`, required: parameter.required }));
  });
  const text = body ? make("textarea", { name: "body", "aria-label": "body", spellcheck: "false" }) : null;
  if (text) text.value = JSON.stringify(sample(body), null, 2);
  const form = make("form", { class: "try", onsubmit: (event) => { event.preventDefault(); output.hidden = false; send(operation, form, output); } },
    ...inputs, text, make("button", {}, "Send"), output);
  return make("details", {}, make("summary", {}, "Try it"), form);
};

const article = (operation) => {
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  return make("article", { id: operation.operationId },
    make("h3", {}, make("span", { class: `method ${operation.method}` }, `${operation.method} `), operation.path,
      operation.security ? make("span", { class: "badge" }, operation.security.some((one) => !Object.keys(one).length) ? "token optional" : "token") : null,
      operation.deprecated ? make("span", { class: "badge" }, "deprecated") : null),
    operation.description || operation.summary ? make("p", {}, operation.description ?? operation.summary) : null,
    operation.parameters ? make("h4", {}, "Parameters") : null,
    operation.parameters ? make("table", {}, ...operation.parameters.map((parameter) => row(parameter.name, parameter.schema, parameter.required, parameter.description))) : null,
    body ? make("h4", {}, "Body") : null,
    body ? fields(body) : null,
    make("h4", {}, "Answers"),
    make("table", {}, ...Object.entries(operation.responses).map(([status, answer]) => make("tr", {}, make("td", {}, status),
      make("td", { class: "type" }, typeOf(Object.values(answer.content ?? {})[0]?.schema ?? { type: "–" })), make("td", {}, answer.description)))),
    tryOut(operation));
};

const show = () => {
  document.title = `${api.info.title} · documentation`;
  document.getElementById("title").textContent = api.info.title;
  document.getElementById("subtitle").textContent = `version ${api.info.version} · OpenAPI document at ${base}/openapi.json`;
  const operations = Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })));
  const groups = Map.groupBy ? Map.groupBy(operations, (one) => one.tags?.[0] ?? "other") : operations.reduce((found, one) => found.set(one.tags?.[0] ?? "other", [...(found.get(one.tags?.[0] ?? "other") ?? []), one]), new Map());
  const index = document.getElementById("index");
  const main = document.getElementById("operations");
  for (const [tag, members] of groups) {
    index.append(make("h2", {}, tag), ...members.map((one) => make("a", { href: `#${one.operationId}`, "data-text": `${one.method} ${one.path} ${one.summary ?? ""} ${one.description ?? ""}`.toLowerCase() },
      make("span", { class: `method ${one.method}` }, one.method), one.path)));
    main.append(...members.map(article));
  }
  document.getElementById("search").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const link of index.querySelectorAll("a")) link.hidden = link.style.display = link.dataset.text.includes(wanted) ? "" : "none";
  });
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
};

try {
  api = await (await fetch(`${base}/openapi.json`)).json();
  show();
} catch (error) {
  document.getElementById("subtitle").textContent = `the document could not be read: ${error}`;
}
