// The post step: index.ts recognises this file by its name. The state of main cannot say it: where main could not save
// anything, its post step would run main again.
import "./index.js";
