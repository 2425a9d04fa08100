export { config } from './config.mjs'
export { ADAPTERS, LAYERS, layerOf } from './layers.mjs'
export { lint } from './lint.mjs'
export { refuseManifest } from './refuse-manifest.mjs'
