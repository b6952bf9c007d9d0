// Package dag draws a plan as a graph of operators: what runs on which GPU, on tensors of
// which size, and what travels between GPUs. The text is DOT.
//
//	err := dag.Write(w, plan, dag.Options{Folded: true})
//
// One file holds one digraph a phase, "prefill" and then "decode", one after the other;
// prefill draws one micro-batch of every replica, decode one step of one group of every
// replica. Nothing is held but the text of one layer: a graph of millions of nodes is
// written in the memory of a small one.
//
// # Form
//
// Graph attributes: phase, condition, and folded=true in a folded graph. Clusters lie in
// each other as replica, stage, GPU. All are declared at the head of a graph, with their
// attributes; the body opens them again by name, layer by layer, and edges follow the
// nodes of their layer. The cluster of a GPU is "cluster_gpu_<id>" with gpu="<id>"; in a
// folded graph gpus="<id> <id> …" lists every GPU that it stands for, the first one being
// gpu, which names it.
//
// A node has the attributes op, shape, label, in a layer layer=<first layer is 0>, and of
// an expert expert=<first is 0>. The label has four lines: name, "GPU: id" ("GPUs: id, id"
// of nodes outside of the clusters of GPUs and of nodes that a folded graph draws once for
// several), "Input: …", "Output: …". A tensor is [name=size, …], several are separated by
// "; ". A line that starts with a space continues the one before it (long lists of GPUs are
// wrapped after a comma). Which tensor an edge carries follows from both labels: each that is in the Output
// of its tail and in the Input of its head.
//
// How often a tensor is listed: split lists each part in its Output and concat each in its
// Input, so that parts and whole hold the same number of elements. All others list
// different shapes once each: an all-reduce over 8 GPUs has one tensor in its Input. An
// exception is residual_add and shared_add, which list both of their equal tensors. In a
// folded graph split and concat list different shapes once, too.
//
// Sizes are those of the drawn rank, exact where a number does not divide: sequences,
// tokens, columns of the vocabulary and slices of the hidden state differ by at most one
// between ranks, the first ranks having more. A rank that has no sequence takes no part in
// attention and is still home to its experts. Two sizes are not exact, as they depend on
// what the router decides: an expert gets tokens·top_k/experts, rounded up; and a rank
// sends each of its tokens to min(top_k, EP) ranks, as the cost model counts them.
// Widths are those of the model: a scale that fits parameters to a declared number
// (Model.FFNScale) is a matter of cost alone.
//
// # Operators
//
// Op lists them all; shapes follow from the op (Op.Shape). On a GPU, box: embedding,
// rms_norm, qkv_projection, qkv_down_projection, q_up_projection, kv_up_projection,
// q_absorption, v_up_projection, latent_norm, rotary, kv_write, kv_read, attention_scores,
// softmax, weighted_sum, output_projection, residual_add, ffn_gate, ffn_up, activation,
// ffn_down, expert_gate, expert_up, expert_activation, expert_down, shared_gate,
// shared_up, shared_activation, shared_down, shared_add, lm_head, sampling. On a GPU,
// parallelogram: gate (the router), top_k, dispatch, combine, split, slice, concat,
// last_token. On a GPU, ellipse: send, receive. Between GPUs, ellipse: input, output,
// all_reduce, all_gather, reduce_scatter, all_to_all_dispatch, all_to_all_combine,
// last_token_gather, broadcast, reduce. Between GPUs, parallelogram: split, concat.
//
//   - kv_write → kv_read on the same GPU; kv_read gives the whole context, kv_len. With
//     context parallelism it gives the rank's part, and an all_gather the whole.
//   - Latent attention: qkv_down_projection makes the latents (and whole queries where the
//     model has no latent of queries), latent_norm their norms, q_up_projection the
//     queries. Prefill expands the cache with kv_up_projection; decode carries queries into
//     the latent space (q_absorption) and results out of it (v_up_projection).
//   - all_reduce keeps the shape. all_gather adds up one dimension over its participants.
//     reduce_scatter adds up tensors of one shape and leaves each participant a part along
//     one dimension. What goes along several dimensions, such as an all-gather over
//     attention data parallelism and context parallelism together, is drawn as one after
//     the other. Where one rank alone has tokens the two are broadcast and reduce.
//   - slice takes a part of a tensor (the others are on ranks that hold the same tensor);
//     split takes it apart into all its parts.
//   - Experts where each rank holds all tokens: dispatch → experts → combine on the same
//     GPU, then one all_reduce. Where ranks hold different tokens: dispatch →
//     all_to_all_dispatch → experts at home → all_to_all_combine → combine, or, where that
//     moves fewer bytes, all_gather of tokens and router scores → top_k → dispatch →
//     experts → combine → reduce_scatter. TP ranks of one group hold the same tokens: each
//     sends and gets its slice of the hidden state, and an all_gather joins the slices.
//   - top_k → dispatch is the selection, dashed; top_k → combine are the weights, data.
//   - One send may have several receives (the same tensor to several ranks); in a graph
//     that is not folded a receive has one send.
//   - input → split over replicas → split over ranks of attention data and context
//     parallelism → embedding; at the end sampling on the first TP rank → concat over
//     ranks → concat over replicas → output. What has one part only is left out. TP ranks
//     get the same part, which counts once.
//
// # Folded
//
// Runs of layers that are alike, single or in a repeating pattern, are drawn once: layer
// is the first of them, layers="3-60" or "0-46/2" (every second) lists them, times=58
// counts them, and the name says ×58. Replicas that are alike are drawn once, also the
// experts of a GPU (experts="0 1 2 …" lists them, times counts them on one GPU), and ranks
// of a stage that do the same where the graph would have too many nodes otherwise. A
// collective that is drawn once for several says so in its name, (×2, 8 GPUs each). A node
// names up to 16 GPUs, "GPUs: a, b"; one that stands for more, and one between GPUs where
// the graph has more, names the first of each cluster that takes part, and the cluster
// lists the rest.
package dag
