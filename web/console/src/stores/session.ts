// Who is signed in, and what he may do.
import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";
import * as api from "@/api";
import { drop, load, save } from "@/lib/storage";

const SIGNED = "hb.signed"; // whether asking the server who we are makes sense

export const useSession = defineStore("session", () => {
  const me = shallowRef<api.Me | null>(null);
  const info = shallowRef<api.Session | null>(null);
  const mustChange = ref(false);
  const known = ref(false); // the server was asked once

  function take(s: api.Session) {
    info.value = s;
    me.value = s.agent;
    mustChange.value = s.must_change_password;
    known.value = true;
    save(SIGNED, true);
  }

  /** Asks the server who we are. False: nobody. Throws when the server does not answer. */
  async function resume(): Promise<boolean> {
    if (!me.value && !load(SIGNED, false)) {
      known.value = true; // nobody signed in here since the last sign-out: no need to be told by a 401
      return false;
    }
    try {
      take(await api.session.get());
      return true;
    } catch (e) {
      if (e instanceof api.ApiError && e.status === 401) {
        known.value = true;
        forget();
        return false;
      }
      throw e;
    }
  }

  async function login(email: string, password: string) {
    const first = await api.session.login(email, password);
    take(await api.session.get());
    mustChange.value = first.must_change_password;
  }

  async function logout() {
    await api.session.logout().catch(() => {});
    forget();
  }

  function forget() {
    drop(SIGNED);
    me.value = null;
    info.value = null;
  }

  const isAdmin = computed(() => me.value?.role === "admin");
  const leads = computed(() => me.value?.role === "admin" || me.value?.role === "supervisor");
  const may = (permission: string) => isAdmin.value || !!info.value?.permissions?.includes(permission);

  return { me, info, mustChange, known, isAdmin, leads, may, resume, login, logout, forget };
});
