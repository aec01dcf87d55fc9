import { createRouter, createWebHistory } from "vue-router";
import { useSession } from "@/stores/session";

declare module "vue-router" {
  interface RouteMeta {
    open?: boolean; // without log-in
    lead?: boolean; // supervisors and admins
    title?: string;
  }
}

export const router = createRouter({
  history: createWebHistory("/"),
  routes: [
    {
      path: "/login",
      name: "login",
      component: () => import("@/views/Login.vue"),
      meta: { open: true, title: "login.title" },
    },
    {
      path: "/",
      component: () => import("@/views/Shell.vue"),
      children: [
        { path: "", redirect: "/inbox/mine" },
        {
          path: "inbox/:view?/:id?",
          name: "inbox",
          component: () => import("@/views/Inbox.vue"),
          meta: { title: "nav.inbox" },
        },
        { path: "tickets/:id", redirect: (to) => `/inbox/all/${to.params.id}` },
        {
          path: "search",
          name: "search",
          component: () => import("@/views/Search.vue"),
          meta: { title: "nav.search" },
        },
        {
          path: "contacts/:id?",
          name: "contacts",
          component: () => import("@/views/Contacts.vue"),
          meta: { title: "nav.contacts" },
        },
        {
          path: "settings",
          name: "settings",
          component: () => import("@/views/Settings.vue"),
          meta: { title: "nav.settings" },
        },
        {
          path: "admin",
          name: "admin",
          redirect: "/admin/channels",
          component: () => import("@/views/admin/Admin.vue"),
          meta: { lead: true, title: "nav.admin" },
          children: [
            { path: "channels/:id?", name: "channels", component: () => import("@/views/admin/Channels.vue") },
            { path: "agents", name: "agents", component: () => import("@/views/admin/Agents.vue") },
            { path: "teams", name: "teams", component: () => import("@/views/admin/Teams.vue") },
            { path: "rules", name: "rules", component: () => import("@/views/admin/Rules.vue") },
            { path: "try", name: "try", component: () => import("@/views/admin/Try.vue") },
            { path: "intake", name: "intake", component: () => import("@/views/admin/Intake.vue") },
          ],
        },
        { path: ":rest(.*)*", redirect: "/inbox/mine" },
      ],
    },
  ],
});

router.beforeEach(async (to) => {
  const session = useSession();
  if (!session.known) await session.resume().catch(() => {});
  if (to.meta.open) return session.me ? "/" : true;
  if (!session.me) return { name: "login", query: to.fullPath === "/" ? {} : { to: to.fullPath } };
  if (session.mustChange && to.name !== "settings") return { name: "settings", query: { first: "1" } };
  if (to.meta.lead && !session.leads) return "/";
  return true;
});
