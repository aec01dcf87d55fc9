// A list of an admin page: loaded, loaded again when somebody else changed it, searched, with errors told once.
import { computed, onMounted, ref, shallowRef, watch } from "vue";
import { useLive } from "@/stores/live";
import { useToasts } from "@/stores/toasts";

export function useList<T>(load: () => Promise<{ items: T[] }>, what: string, words: (x: T) => string) {
  const items = shallowRef<T[]>([]);
  const loading = ref(true);
  const error = shallowRef<unknown>(null);
  const q = ref("");
  const live = useLive();

  async function reload() {
    try {
      items.value = (await load()).items;
      error.value = null;
    } catch (e) {
      error.value = e;
    } finally {
      loading.value = false;
    }
  }
  onMounted(reload);
  watch(
    () => live.changed,
    (c) => c.what === what && void reload(),
  );
  const shown = computed(() => {
    const w = q.value.trim().toLowerCase();
    return w ? items.value.filter((x) => words(x).toLowerCase().includes(w)) : items.value;
  });

  /** Runs an act, says it worked, loads again. False: it failed and was told. */
  async function act(run: () => Promise<unknown>, done?: string): Promise<boolean> {
    const toasts = useToasts();
    try {
      await run();
      if (done) toasts.ok(done);
      await reload();
      return true;
    } catch (e) {
      toasts.error(e);
      return false;
    }
  }
  return { items, shown, loading, error, q, reload, act };
}
