// Runs before the first paint: the stored theme and language are on <html> before anything is drawn.
(() => {
  let p = {};
  try {
    p = JSON.parse(localStorage.getItem("hb.prefs") || "{}");
  } catch {}
  const dark = p.theme === "dark" || (p.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
  document.documentElement.lang = p.locale || (/^zh/i.test(navigator.language) ? "zh-CN" : "en");
})();
