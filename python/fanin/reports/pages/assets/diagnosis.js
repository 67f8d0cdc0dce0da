// The verdict on one network: text alone.
"use strict";

fanin.define("diagnosis", () => ({}));
