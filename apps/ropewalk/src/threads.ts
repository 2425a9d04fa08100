/**
 * Threads for what blocks, most of all syncs: a disk brings many of them home together, and Node's own four would be a queue before it. Node
 * reads this when it first needs a thread, so it comes before everything else.
 *
 * @module
 */
process.env['UV_THREADPOOL_SIZE'] ??= '16'
