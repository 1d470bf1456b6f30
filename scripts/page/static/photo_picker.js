// A photo that is dropped, pasted, chosen, taken or one of the samples; boxes can be drawn on it.

/**
 * @param {{samples: {name: string, caption: string, thumbnail: string}[], maxBytes: number,
 *   onFile: (file: File) => void, onSample: (name: string) => void, onError: (message: string) => void}} options
 */
function photoPicker({ samples, maxBytes, onFile, onSample, onError }) {
  const image = el("img", { class: "rf-photo", alt: "" });
  const boxes = el("div", { class: "rf-boxes" });
  const frame = el("div", { class: "rf-frame", hidden: true }, image, boxes);
  const hint = el("p", { class: "rf-hint" }, "Drop a photo here, paste one, or choose a sample below.");
  const video = el("video", { class: "rf-video", hidden: true, playsinline: true, muted: true, autoplay: true, "aria-label": "Camera" });
  const stage = el("div", { class: "rf-stage", role: "group", "aria-label": "Photo" }, hint, frame, video);
  const input = el("input", { type: "file", accept: "image/*", hidden: true, "aria-label": "Photo file" });
  const choose = el("button", { type: "button", class: "rf-button rf-primary", click: () => input.click() }, "Choose a photo");
  const take = el("button", { type: "button", class: "rf-button" }, "Take a photo");
  const snap = el("button", { type: "button", class: "rf-button rf-primary", hidden: true }, "Take it");
  const cancel = el("button", { type: "button", class: "rf-button", hidden: true }, "Cancel");
  const strip = el(
    "div",
    { class: "rf-samples", role: "group", "aria-label": "Sample photos" },
    samples.map((sample) =>
      el(
        "button",
        { type: "button", class: "rf-sample", title: sample.caption, "data-sample": sample.name, click: () => pickSample(sample) },
        el("img", { src: sample.thumbnail, alt: sample.caption, width: 64, height: 64 }),
      ),
    ),
  );
  const root = el("div", { class: "rf-picker" }, stage, el("div", { class: "rf-actions" }, choose, take, snap, cancel, input), strip);
  let stream = null;

  function pick(file) {
    if (!file) return;
    if (file.size > maxBytes) {
      onError(`${file.name} has ${Math.round(file.size / 1e6)} MB; a photo may have ${maxBytes / 1e6}. Choose a smaller one.`);
      return;
    }
    stopCamera();
    onFile(file);
  }

  function pickSample(sample) {
    stopCamera();
    onSample(sample.name);
  }

  function stopCamera() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    video.hidden = snap.hidden = cancel.hidden = true;
    choose.hidden = take.hidden = false;
  }

  input.addEventListener("change", () => {
    pick(input.files[0]);
    input.value = ""; // the same file may be chosen again
  });
  stage.addEventListener("dragover", (event) => {
    event.preventDefault();
    stage.classList.add("rf-over");
  });
  stage.addEventListener("dragleave", () => stage.classList.remove("rf-over"));
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    stage.classList.remove("rf-over");
    if (event.dataTransfer.files.length) pick(event.dataTransfer.files[0]);
    else onError("What was dropped is no file. Save the photo first, then drop the file.");
  });
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (!file || root.offsetParent === null) return; // a text, or another tab's
    event.preventDefault();
    pick(file);
  });
  take.addEventListener("click", async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      onError(
        error.name === "NotAllowedError"
          ? "The browser may not use the camera. Allow it for this page, or choose a photo."
          : "There is no camera that the browser can use. Choose a photo instead.",
      );
      return;
    }
    video.srcObject = stream;
    video.hidden = cancel.hidden = false;
    choose.hidden = take.hidden = true;
  });
  // Before its first picture the camera has none to take.
  video.addEventListener("playing", () => {
    snap.hidden = false;
    snap.focus();
  });
  snap.addEventListener("click", () => {
    const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => pick(new File([blob], "camera.jpg", { type: "image/jpeg" })), "image/jpeg", 0.92);
  });
  cancel.addEventListener("click", stopCamera);

  return {
    root,
    boxes,
    /** Shows a photo: {preview, name, width, height}. */
    show(photo) {
      image.src = photo.preview;
      image.alt = photo.name;
      frame.style.setProperty("--ratio", photo.width / photo.height);
      frame.hidden = false;
      hint.hidden = true;
    },
    /** Shows no photo. */
    clear() {
      boxes.replaceChildren();
      image.removeAttribute("src");
      frame.hidden = true;
      hint.hidden = false;
    },
  };
}

/** Draws boxes: [{key, label, evidence, side}] on a photo of width x height pixels. `light(key)` is told of hover and focus. */
function drawBoxes(container, boxes, photo, light) {
  const area = ({ evidence: [x0, y0, x1, y1] }) => (x1 - x0) * (y1 - y0);
  const ordered = [...boxes].sort((one, other) => area(other) - area(one)); // small ones lie on top of large ones
  container.replaceChildren(
    ...ordered.map(({ key, label, evidence, side }) => {
      const [x0, y0, x1, y1] = evidence;
      const box = el("button", {
        type: "button",
        class: side ? `rf-box rf-${side}` : "rf-box",
        "data-key": key,
        "aria-label": label,
        mouseenter: () => light(key),
        mouseleave: () => light(null),
        focus: () => light(key),
        blur: () => light(null),
      });
      box.style.left = `${(100 * x0) / photo.width}%`;
      box.style.top = `${(100 * y0) / photo.height}%`;
      box.style.width = `${(100 * (x1 - x0)) / photo.width}%`;
      box.style.height = `${(100 * (y1 - y0)) / photo.height}%`;
      return box;
    }),
  );
}

/** The picker of a tab: the page's server gets the event `sample` or `photo`. */
function tabPicker(setBusy, showProblem) {
  return photoPicker({
    samples: props.samples,
    maxBytes: props.max_bytes,
    onSample(name) {
      setBusy();
      trigger("sample", { name });
    },
    async onFile(file) {
      setBusy();
      try {
        const { path } = await upload(file);
        trigger("photo", { path, name: file.name });
      } catch {
        showProblem("The photo did not reach the page's server. See that `resformer demo` still runs.");
      }
    },
    onError: showProblem,
  });
}
