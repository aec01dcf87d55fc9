// Every "ask" button opens the chat. Hearback.push works before the widget has loaded and after.
window.Hearback = window.Hearback || [];
for (const button of document.querySelectorAll("[data-chat]")) {
  button.addEventListener("click", () => window.Hearback.push(["open"]));
}
