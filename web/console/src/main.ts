import { createPinia } from "pinia";
import { createApp } from "vue";
import App from "@/App.vue";
import { whenSignedOut } from "@/api";
import { i18n, speak } from "@/i18n";
import { press } from "@/lib/keys";
import { router } from "@/router";
import { usePrefs } from "@/stores/prefs";
import { useSession } from "@/stores/session";
import "@/style.css";

const app = createApp(App).use(createPinia()).use(i18n);
const { prefs } = usePrefs();

whenSignedOut(() => {
  const session = useSession();
  if (!session.me) return;
  session.forget();
  void router.replace({ name: "login", query: { to: router.currentRoute.value.fullPath } });
});

document.addEventListener("keydown", (e) => void press(e));

// After a new version was installed, a page opened before asks for files that are gone: load it anew.
addEventListener("vite:preloadError", (e) => {
  e.preventDefault();
  location.reload();
});

await speak(prefs.locale);
app.use(router);
await router.isReady();
app.mount("#app");
