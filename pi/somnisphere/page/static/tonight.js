// Keeps Tonight up to date. Without this script the link "Look again" does the same.
(() => {
  const now = document.getElementById("now");
  const EVERY_MS = 5000;
  let before = now.innerHTML, fetched = "";
  document.querySelector(".again").parentElement.hidden = true;
  const look = async () => {
    // Nobody's finger is taken off a control: what has the focus is not exchanged.
    if (document.hidden || now.contains(document.activeElement)) return;
    try {
      const answer = await fetch(now.dataset.from, { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) return;
      const text = await answer.text();
      if (text === fetched || now.contains(document.activeElement)) return;
      fetched = text;
      const fresh = new DOMParser().parseFromString(text, "text/html");
      const said = fresh.getElementById("phase"), shown = document.getElementById("phase");
      // The line that is read aloud stays the same element, or a screen reader would not hear that it changed.
      if (shown && said && shown.ariaLive === said.ariaLive && shown.textContent !== said.textContent) shown.textContent = said.textContent;
      if (before !== fresh.body.innerHTML) {
        if (shown && said && shown.ariaLive === said.ariaLive) said.replaceWith(shown);
        now.replaceChildren(...fresh.body.childNodes);
        before = now.innerHTML;
      }
    } catch { /* the page's process may be away; the next look will tell */ }
  };
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
})();
