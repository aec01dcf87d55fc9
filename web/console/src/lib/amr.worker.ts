// The AMR narrow-band decoder (opencore-amr compiled to JavaScript) in a worker of its own: {command: "decode", buffer} in,
// {amr: samples at 8 kHz from -1 to 1, or null} out. The package's function sets the worker's message handler.
import listen from "benz-amr-recorder/src/amrnb.js";

listen();
