"use strict";
// The one thing here that a page cannot do without a script: ask the device for a passkey.
(() => {
  const button = document.querySelector("[data-passkey]");
  if (!button || !window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) return;
  const data = button.dataset;
  const note = document.querySelector("[data-passkey-note]");
  const post = async (path, body) => {
    const headers = { "Content-Type": "application/json" };
    if (data.csrf) headers["X-CSRF-Token"] = data.csrf;
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    const json = await answer.json();
    if (!answer.ok) throw new Error(json.error.message);
    return json;
  };
  const enrol = async () => {
    const password = document.querySelector("#passkey-password");
    const begun = await post("/api/v1/auth/mfa/passkey", password && password.value ? { password: password.value } : {});
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.options);
    const made = await navigator.credentials.create({ publicKey });
    const label = document.querySelector("#passkey-label");
    return post("/api/v1/auth/mfa/passkey/finish", {
      ceremony: begun.ceremony, answer: made.toJSON(), label: (label && label.value) || "passkey",
    });
  };
  const show = async () => {
    const pending = data.pending ? { pending: data.pending } : {};
    const begun = await post("/api/v1/auth/passkey/begin", pending);
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(begun.options);
    const shown = await navigator.credentials.get({ publicKey });
    return post("/api/v1/auth/passkey/finish", { ceremony: begun.ceremony, answer: shown.toJSON(), ...pending });
  };
  const codes = (list) => {
    const place = document.querySelector("[data-passkey-codes]");
    for (const code of list) place.appendChild(Object.assign(document.createElement("li"), { textContent: code }));
    place.parentElement.hidden = false;
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    note.hidden = true;
    button.disabled = true;
    try {
      const done = await (data.passkey === "enrol" ? enrol() : show());
      if (done.recovery_codes && done.recovery_codes.length) codes(done.recovery_codes);
      else location.assign("/account");
    } catch (error) {
      note.textContent = error.name === "NotAllowedError" ? "Nothing came of it: the device was not used." : error.message;
      note.hidden = false;
    }
    button.disabled = false;
  });
})();
