// Records into a form's file field where the browser allows it (a page over https, or at the box itself); everywhere
// else a file is chosen there, or the telephone's own recorder opens.
(() => {
  if (!navigator.mediaDevices || !window.MediaRecorder || !window.DataTransfer) return;
  const SUFFIXES = [["mp4", "m4a"], ["ogg", "ogg"]];
  let running = null;
  for (const row of document.querySelectorAll(".recorder")) {
    const input = row.closest("form").querySelector("input[type=file]");
    const button = row.querySelector("button"), heard = row.querySelector("audio"), said = row.querySelector("[role=status]");
    const label = button.textContent;
    const keep = (pieces, type) => {
      const suffix = (SUFFIXES.find(([name]) => type.includes(name)) || ["", "webm"])[1];
      const sound = new File(pieces, `voice.${suffix}`, { type });
      const files = new DataTransfer();
      files.items.add(sound);
      input.files = files.files;
      if (heard.src) URL.revokeObjectURL(heard.src);
      heard.src = URL.createObjectURL(sound);
      heard.hidden = false;
    };
    button.addEventListener("click", async () => {
      if (running) { // whoever presses, the one microphone stops
        running.stop();
        return;
      }
      try {
        const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
        const pieces = [], recorder = new MediaRecorder(stream);
        running = recorder;
        recorder.ondataavailable = (event) => pieces.push(event.data);
        recorder.onstop = () => {
          for (const track of stream.getTracks()) track.stop();
          running = null;
          button.textContent = label;
          said.textContent = "";
          keep(pieces, recorder.mimeType || "audio/webm");
        };
        recorder.start();
        button.textContent = button.dataset.stop;
        said.textContent = said.dataset.on;
      } catch {
        said.textContent = said.dataset.no;
      }
    });
    row.hidden = false;
  }
})();
