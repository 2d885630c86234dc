// The background process of a tunnel: index.ts recognises this file by its name.
import "./index.js";
