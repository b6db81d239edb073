// The document as a list, where the viewer is not installed.
const element = (name, text, ...children) => {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
};

const resolve = (api, part) =>
  part.$ref ? part.$ref.slice(2).split("/").reduce((found, key) => found[key], api) : part;

const operation = (api, method, path, described) => {
  const rows = element("dl");
  const row = (name, text) => rows.append(element("dt", name), element("dd", text || "–"));
  for (const one of (described.parameters || []).map((part) => resolve(api, part))) {
    row(`${one.name} (${one.in})`, one.description);
  }
  for (const type of Object.keys((described.requestBody || {}).content || {})) row("body", type);
  for (const [status, answer] of Object.entries(described.responses)) {
    row(status, resolve(api, answer).description);
  }
  const head = element("summary", "", element("b", method.toUpperCase()), element("code", path));
  head.append(` ${described.summary || ""}`);
  return element("details", "", head, element("p", described.description), rows);
};

const show = (api) => {
  const methods = ["get", "post", "put", "patch", "delete"];
  const tags = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of methods.filter((name) => item[name])) {
      const tag = (item[method].tags || ["Other"])[0];
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push(operation(api, method, path, item[method]));
    }
  }
  const page = document.getElementById("api");
  page.append(element("p", api.info.description.replaceAll("`", "")));
  for (const [tag, operations] of tags) page.append(element("h2", tag), ...operations);
};

fetch("openapi.json").then((answer) => answer.json()).then(show);
