// Records a passage where the browser allows it (a page over https, or at the box itself); else a file is chosen.
(() => {
  const box = document.getElementById("recorder"), input = document.getElementById("sound");
  if (!box || !input || !navigator.mediaDevices || !window.MediaRecorder || !window.DataTransfer) return;
  const button = document.getElementById("record"), heard = document.getElementById("heard");
  const said = document.getElementById("recording"), label = button.textContent;
  box.hidden = false;
  let recorder = null;
  const stopped = (pieces, type) => {
    const suffix = type.includes("mp4") ? "m4a" : type.includes("ogg") ? "ogg" : "webm";
    const sound = new File(pieces, `passage.${suffix}`, { type });
    const files = new DataTransfer();
    files.items.add(sound);
    input.files = files.files;
    heard.src = URL.createObjectURL(sound);
    heard.hidden = false;
  };
  button.addEventListener("click", async () => {
    if (recorder) { recorder.stop(); return; }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const pieces = [];
      recorder = new MediaRecorder(stream);
      recorder.ondataavailable = (event) => pieces.push(event.data);
      recorder.onstop = () => {
        for (const track of stream.getTracks()) track.stop();
        stopped(pieces, recorder.mimeType || "audio/webm");
        recorder = null;
        button.textContent = label;
        said.textContent = "";
      };
      recorder.start();
      button.textContent = button.dataset.stop;
      said.textContent = said.dataset.on;
    } catch {
      said.textContent = said.dataset.no;
    }
  });
})();
