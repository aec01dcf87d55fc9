// Package web holds what browsers load: the agents' console, the chat widget and the demo shop page, built by `make build` into
// dist and embedded in the binary.
//
// cmd mounts [Site.Handler] beside the API. The console is a single page: every address that asks for HTML and that nobody else
// owns gets its index. The widget is two parts: /widget.js, the loader a shop puts on its pages, and /widget/app.js with
// /widget/app.css, which the frame page of a web-chat channel (GET /c/{id}/frame) loads.
//
// What holds:
//   - Nothing is compressed while serving: the build wrote .gz and .br beside each file, the request picks one.
//   - A file whose name carries a hash of its content is cached for a year and never asked for again; all others are asked for
//     each time and answered 304 while they are the same.
//   - Pages run under a policy that allows only our own scripts, and may not be framed. Only the loader may be loaded by others.
//   - What a visitor downloads stays under 15 KB and the console's first script under 150 KB, compressed; a test holds both.
//
// How it fails: a binary built without the browser's part says so in a page that names the command; the API is not touched.
package web
