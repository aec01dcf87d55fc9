// Files on their way into a message: each with its progress, its failure and a way to stop it.
import { reactive } from "vue";
import { type Attachment, upload } from "@/api";
import { errorText } from "@/stores/toasts";

export interface Upload {
  local: number;
  name: string;
  size: number;
  type: string;
  share: number; // 0 to 1
  file?: Attachment; // set when it is there
  error?: string;
  stop?: () => void;
}

let next = 1;

export function useUploads(changed: () => void) {
  const list = reactive<Upload[]>([]);

  function add(files: Iterable<File>, refuse: (f: File) => string) {
    for (const f of files) {
      const why = refuse(f);
      list.push({
        local: next++,
        name: f.name || "image.png",
        size: f.size,
        type: f.type,
        share: 0,
        error: why || undefined,
      });
      const entry = list[list.length - 1] as Upload;
      if (why) continue;
      const abort = new AbortController();
      entry.stop = () => abort.abort();
      upload(
        f,
        (share) => {
          entry.share = share;
        },
        abort.signal,
      ).then(
        (a) => {
          entry.file = a;
          entry.share = 1;
          changed();
        },
        (e) => {
          if (!abort.signal.aborted) entry.error = errorText(e);
        },
      );
    }
  }
  function remove(local: number) {
    const at = list.findIndex((x) => x.local === local);
    if (at < 0) return;
    list[at]?.stop?.();
    list.splice(at, 1);
    changed();
  }
  function restore(files: Attachment[]) {
    list.splice(
      0,
      list.length,
      ...files.map((f) => ({ local: next++, name: f.name, size: f.size, type: f.type, share: 1, file: f })),
    );
  }
  const ready = () => list.filter((x) => x.file).map((x) => x.file as Attachment);
  const busy = () => list.some((x) => !x.file && !x.error);
  const clear = () => list.splice(0, list.length);
  return { list, add, remove, restore, ready, busy, clear };
}
