// Writes docs/api/postman.json, a collection (v2.1) of every operation of docs/api/openapi.json. The same
// document always gives the same file. With `--check` nothing is written: it fails if the file is stale.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { folders, variables } from "./plan.mjs";

const api = resolve(import.meta.dirname, "../../docs/api");
const document = JSON.parse(readFileSync(`${api}/openapi.json`, "utf8"));
const operations = new Map(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation]),
  ),
);

const named = Object.values(folders).flat().map((step) => step.operation);
fail("the plan lacks", [...operations.keys()].filter((name) => !named.includes(name)));
fail("the document has no", named.filter((name) => !operations.has(name)));

const collection = {
  info: {
    _postman_id: id("Jumun"),
    name: document.info.title,
    description:
      `${document.info.description}\n\nRun it from top to bottom on a fresh demo shop (\`make run\`), or pick what ` +
      "you need. Where callers show tokens, run *Logs in by e-mail address and password* first; for what is for " +
      "administrators with the e-mail address and the password of one.",
    schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
  },
  auth: { type: "bearer", bearer: [{ key: "token", value: "{{accessToken}}", type: "string" }] },
  variable: Object.entries(variables).map(([key, value]) => ({ key, value })),
  item: Object.entries(folders).map(([name, steps]) => ({
    id: id(name),
    name,
    item: steps.map((step) => item(name, step)),
  })),
};
const text = `${JSON.stringify(collection, null, 2)}\n`;

if (process.argv.includes("--check")) {
  fail("stale: run `make postman`", readFileSync(`${api}/postman.json`, "utf8") === text ? [] : ["postman.json"]);
} else {
  writeFileSync(`${api}/postman.json`, text);
}

function item(folder, step) {
  const operation = operations.get(step.operation);
  const [method, template] = step.operation.split(" ");
  return {
    id: id(`${folder}: ${step.operation}`),
    name: operation.summary.replace(/\.$/, ""),
    event: [{ listen: "test", script: { type: "text/javascript", exec: test(operation, step) } }],
    request: {
      method,
      header: headers(operation, step),
      url: url(template, operation, step),
      ...(operation.security ? {} : { auth: { type: "noauth" } }),
      ...(step.body && {
        body: { mode: "raw", raw: JSON.stringify(step.body, null, 2), options: { raw: { language: "json" } } },
      }),
      description: [step.operation, operation.description].filter(Boolean).join("\n\n"),
    },
    response: [],
  };
}

function headers(operation, step) {
  const caller = { key: "X-User-Id", value: step.as === "admin" ? "{{adminId}}" : "{{userId}}" };
  const parameters = parametersIn("header", operation).map(({ name, description, required }) => ({
    key: name,
    value: name === "Idempotency-Key" ? "{{$guid}}" : "",
    ...(description && { description }),
    // What is optional waits to be switched on; a key never hurts.
    ...(!required && name !== "Idempotency-Key" && { disabled: true }),
  }));
  const type = step.body ? [{ key: "Content-Type", value: "application/json" }] : [];
  return [...(operation.security ? [caller] : []), ...type, ...parameters];
}

function url(template, operation, step) {
  const given = { ...step.query };
  const query = parametersIn("query", operation).map(({ name, description }) => {
    const { [name]: value } = given;
    delete given[name];
    return { key: name, value: value ?? "", ...(description && { description }), ...(!value && { disabled: true }) };
  });
  fail(`${step.operation} does not know`, Object.keys(given));
  const sent = query.filter((parameter) => !parameter.disabled).map(({ key, value }) => `${key}=${value}`);
  const variable = parametersIn("path", operation).map(({ name, description }) => {
    fail(`${step.operation} needs`, step.path?.[name] ? [] : [name]);
    return { key: name, value: step.path[name], ...(description && { description }) };
  });
  const path = template.slice(1).split("/").map((segment) => segment.replace(/^\{(\w+)\}$/, ":$1"));
  const raw = `{{baseUrl}}/${path.join("/")}${sent.length ? `?${sent.join("&")}` : ""}`;
  return { raw, host: ["{{baseUrl}}"], path, ...(query.length && { query }), ...(variable.length && { variable }) };
}

/** The script that checks an answer and remembers what later requests need. */
function test(operation, step) {
  const promised = Object.keys(operation.responses).map(Number);
  const expected = step.expect ?? [promised.find((status) => status < 300)];
  fail(`${step.operation} does not promise`, expected.filter((status) => !promised.includes(status)));
  const save = Array.isArray(step.save) ? step.save.map((name) => [name, name]) : Object.entries(step.save ?? {});
  return [
    `pm.test("answers ${expected.join(" or ")}", () => pm.expect(pm.response.code).to.be.oneOf([${expected}]));`,
    ...save.map(([name, from]) => {
      const member = from.split(".").map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join("");
      return `pm.collectionVariables.set("${name}", pm.response.json()${member});`;
    }),
  ];
}

function parametersIn(place, operation) {
  return (operation.parameters ?? []).filter((parameter) => parameter.in === place);
}

/** An id that is the same each time, in the form of a UUID. */
function id(name) {
  const hex = createHash("sha256").update(`jumun/${name}`).digest("hex");
  return [8, 4, 4, 4, 12].map(((at) => (length) => hex.slice(at, (at += length)))(0)).join("-");
}

/** Ends with a message if something is wrong. */
function fail(message, names) {
  if (names.length === 0) return;
  console.error(`postman: ${message}: ${names.join(", ")}`);
  process.exit(1);
}
