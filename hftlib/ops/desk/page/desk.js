// The plainest page there can be: the state as it comes.
const shown = document.getElementById("state");
const stream = new EventSource("api/stream");
stream.addEventListener("state", (event) => {
  shown.textContent = JSON.stringify(JSON.parse(event.data), null, 2);
});
stream.addEventListener("end", () => stream.close());
