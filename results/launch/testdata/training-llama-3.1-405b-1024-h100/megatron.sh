#!/usr/bin/env bash
# Starts one node's part of a training run on Megatron-LM (pretrain_gpt.py), and
# stays until it ends.
# Written from the plan of "training-llama-3.1-405b-1024-h100": 4 replicas × PP
# 16 × TP 8 × CP 2 of "Llama-3.1-405B" on 1024 GPUs.
#
# On every node, with its number: bash megatron.sh NODE
#
# Check first:
# - nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and
#   nothing else holds memory on them.
# - MODEL_FLAGS says of the model what a plan does not know: --rotary-base,
#   --norm-epsilon, --use-rope-scaling, --add-qkv-bias … Flags of it, and of
#   TRAIN_FLAGS, that the plan has given come last and hold.
# - Layers with gated feed-forward blocks are taken to have RMSNorm, rotary
#   positions and no biases.
# - Without DATA it runs 20 steps on made-up data and prints the time of each:
#   the plan predicts 84607 ms.
# - The nodes have the same Megatron-LM and reach each other by the addresses
#   below, on port 29500.
set -euo pipefail

MEGATRON=${MEGATRON:?set MEGATRON to the path of a checkout of Megatron-LM}
# Addresses of the nodes by their numbers: as the plan names them, or as the
# variable HOSTS says, separated by spaces.
hosts=(
	node-0
	node-1
	node-2
	node-3
	node-4
	node-5
	node-6
	node-7
	node-8
	node-9
	node-10
	node-11
	node-12
	node-13
	node-14
	node-15
	node-16
	node-17
	node-18
	node-19
	node-20
	node-21
	node-22
	node-23
	node-24
	node-25
	node-26
	node-27
	node-28
	node-29
	node-30
	node-31
	node-32
	node-33
	node-34
	node-35
	node-36
	node-37
	node-38
	node-39
	node-40
	node-41
	node-42
	node-43
	node-44
	node-45
	node-46
	node-47
	node-48
	node-49
	node-50
	node-51
	node-52
	node-53
	node-54
	node-55
	node-56
	node-57
	node-58
	node-59
	node-60
	node-61
	node-62
	node-63
	node-64
	node-65
	node-66
	node-67
	node-68
	node-69
	node-70
	node-71
	node-72
	node-73
	node-74
	node-75
	node-76
	node-77
	node-78
	node-79
	node-80
	node-81
	node-82
	node-83
	node-84
	node-85
	node-86
	node-87
	node-88
	node-89
	node-90
	node-91
	node-92
	node-93
	node-94
	node-95
	node-96
	node-97
	node-98
	node-99
	node-100
	node-101
	node-102
	node-103
	node-104
	node-105
	node-106
	node-107
	node-108
	node-109
	node-110
	node-111
	node-112
	node-113
	node-114
	node-115
	node-116
	node-117
	node-118
	node-119
	node-120
	node-121
	node-122
	node-123
	node-124
	node-125
	node-126
	node-127
)
if [ -n "${HOSTS:-}" ]; then read -r -a hosts <<<"$HOSTS"; fi
if [ ${#hosts[@]} -ne 128 ]; then
	echo "HOSTS has ${#hosts[@]} addresses, the plan 128 nodes" >&2
	exit 2
fi
if [ $# -ne 1 ]; then
	echo "usage: bash $0 NODE   (0 to 127: the number of this node)" >&2
	exit 2
fi
node=$1
meeting=${MEETING_PORT:-29500} # of the first node
export CUDA_DEVICE_MAX_CONNECTIONS=1 # Megatron asks for it: collectives keep the order of kernels

# Data, recipe and checkpoints, in words with spaces between: DATA is what
# --data-path takes, TRAIN_FLAGS the recipe.
read -r -a model <<<"${MODEL_FLAGS:-}"
if [ -n "${DATA:-}" ]; then
	read -r -a data <<<"$DATA"
	data=(--data-path "${data[@]}" --split '99,1,0' --tokenizer-type HuggingFaceTokenizer)
	TOKENIZER=${TOKENIZER:-meta-llama/Llama-3.1-405B}
	data+=(--tokenizer-model "$TOKENIZER")
	read -r -a recipe <<<"${TRAIN_FLAGS:?set TRAIN_FLAGS to the recipe: --train-iters, --lr, --lr-decay-style, --save …}"
else
	data=(--mock-data --tokenizer-type NullTokenizer --vocab-size 128255)
	read -r -a recipe <<<"${TRAIN_FLAGS:---train-iters 20 --lr 1e-5 --eval-iters 0 --log-interval 1 --log-throughput}"
fi

servers=()
# When a server ends, or this script is stopped, the others of the node are too.
stop() {
	trap - EXIT INT TERM
	kill "${servers[@]}" 2>/dev/null || true
	wait || true
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# train GPUS NODE: start the ranks of one node, which all meet at the first.
train() {
	CUDA_VISIBLE_DEVICES=$1 \
		torchrun \
		--nnodes 128 \
		--node-rank "$2" \
		--nproc-per-node 8 \
		--master-addr "${hosts[0]}" \
		--master-port "$meeting" \
		"$MEGATRON/pretrain_gpt.py" \
		--tensor-model-parallel-size 8 \
		--pipeline-model-parallel-size 16 \
		--context-parallel-size 2 \
		--pipeline-model-parallel-layout 'Et*7|(t*8|)*14t*7L' \
		--sequence-parallel \
		--micro-batch-size 1 \
		--global-batch-size 2048 \
		--use-distributed-optimizer \
		--overlap-grad-reduce \
		--overlap-param-gather \
		--num-layers 126 \
		--hidden-size 16384 \
		--num-attention-heads 128 \
		--kv-channels 128 \
		--group-query-attention \
		--num-query-groups 8 \
		--ffn-hidden-size 53248 \
		--swiglu \
		--untie-embeddings-and-output-weights \
		--seq-length 8192 \
		--max-position-embeddings 131072 \
		--bf16 \
		--optimizer adam \
		--normalization RMSNorm \
		--position-embedding-type rope \
		--disable-bias-linear \
		--attention-dropout 0 \
		--hidden-dropout 0 \
		--make-vocab-size-divisible-by 32 \
		"${data[@]}" \
		"${model[@]}" \
		"${recipe[@]}" &
	servers+=($!)
}

case $node in
0) # node-0
	# ranks 0 to 7, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 0
	;;
1) # node-1
	# ranks 8 to 15, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 1
	;;
2) # node-2
	# ranks 16 to 23, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 2
	;;
3) # node-3
	# ranks 24 to 31, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 3
	;;
4) # node-4
	# ranks 32 to 39, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 4
	;;
5) # node-5
	# ranks 40 to 47, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 5
	;;
6) # node-6
	# ranks 48 to 55, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 6
	;;
7) # node-7
	# ranks 56 to 63, of pipeline rank 0
	train 0,1,2,3,4,5,6,7 7
	;;
8) # node-8
	# ranks 64 to 71, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 8
	;;
9) # node-9
	# ranks 72 to 79, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 9
	;;
10) # node-10
	# ranks 80 to 87, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 10
	;;
11) # node-11
	# ranks 88 to 95, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 11
	;;
12) # node-12
	# ranks 96 to 103, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 12
	;;
13) # node-13
	# ranks 104 to 111, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 13
	;;
14) # node-14
	# ranks 112 to 119, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 14
	;;
15) # node-15
	# ranks 120 to 127, of pipeline rank 1
	train 0,1,2,3,4,5,6,7 15
	;;
16) # node-16
	# ranks 128 to 135, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 16
	;;
17) # node-17
	# ranks 136 to 143, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 17
	;;
18) # node-18
	# ranks 144 to 151, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 18
	;;
19) # node-19
	# ranks 152 to 159, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 19
	;;
20) # node-20
	# ranks 160 to 167, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 20
	;;
21) # node-21
	# ranks 168 to 175, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 21
	;;
22) # node-22
	# ranks 176 to 183, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 22
	;;
23) # node-23
	# ranks 184 to 191, of pipeline rank 2
	train 0,1,2,3,4,5,6,7 23
	;;
24) # node-24
	# ranks 192 to 199, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 24
	;;
25) # node-25
	# ranks 200 to 207, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 25
	;;
26) # node-26
	# ranks 208 to 215, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 26
	;;
27) # node-27
	# ranks 216 to 223, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 27
	;;
28) # node-28
	# ranks 224 to 231, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 28
	;;
29) # node-29
	# ranks 232 to 239, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 29
	;;
30) # node-30
	# ranks 240 to 247, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 30
	;;
31) # node-31
	# ranks 248 to 255, of pipeline rank 3
	train 0,1,2,3,4,5,6,7 31
	;;
32) # node-32
	# ranks 256 to 263, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 32
	;;
33) # node-33
	# ranks 264 to 271, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 33
	;;
34) # node-34
	# ranks 272 to 279, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 34
	;;
35) # node-35
	# ranks 280 to 287, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 35
	;;
36) # node-36
	# ranks 288 to 295, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 36
	;;
37) # node-37
	# ranks 296 to 303, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 37
	;;
38) # node-38
	# ranks 304 to 311, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 38
	;;
39) # node-39
	# ranks 312 to 319, of pipeline rank 4
	train 0,1,2,3,4,5,6,7 39
	;;
40) # node-40
	# ranks 320 to 327, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 40
	;;
41) # node-41
	# ranks 328 to 335, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 41
	;;
42) # node-42
	# ranks 336 to 343, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 42
	;;
43) # node-43
	# ranks 344 to 351, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 43
	;;
44) # node-44
	# ranks 352 to 359, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 44
	;;
45) # node-45
	# ranks 360 to 367, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 45
	;;
46) # node-46
	# ranks 368 to 375, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 46
	;;
47) # node-47
	# ranks 376 to 383, of pipeline rank 5
	train 0,1,2,3,4,5,6,7 47
	;;
48) # node-48
	# ranks 384 to 391, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 48
	;;
49) # node-49
	# ranks 392 to 399, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 49
	;;
50) # node-50
	# ranks 400 to 407, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 50
	;;
51) # node-51
	# ranks 408 to 415, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 51
	;;
52) # node-52
	# ranks 416 to 423, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 52
	;;
53) # node-53
	# ranks 424 to 431, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 53
	;;
54) # node-54
	# ranks 432 to 439, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 54
	;;
55) # node-55
	# ranks 440 to 447, of pipeline rank 6
	train 0,1,2,3,4,5,6,7 55
	;;
56) # node-56
	# ranks 448 to 455, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 56
	;;
57) # node-57
	# ranks 456 to 463, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 57
	;;
58) # node-58
	# ranks 464 to 471, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 58
	;;
59) # node-59
	# ranks 472 to 479, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 59
	;;
60) # node-60
	# ranks 480 to 487, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 60
	;;
61) # node-61
	# ranks 488 to 495, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 61
	;;
62) # node-62
	# ranks 496 to 503, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 62
	;;
63) # node-63
	# ranks 504 to 511, of pipeline rank 7
	train 0,1,2,3,4,5,6,7 63
	;;
64) # node-64
	# ranks 512 to 519, of pipeline rank 8
	train 0,1,2,3,4,5,6,7 64
	;;
65) # node-65
	# ranks 520 to 527, of pipeline rank 8
	train 0,1,2,3,4,5,6,7 65
	;;
66) # node-66
	# ranks 528 to 535, of pipeline rank 8
	train 0,1,2,3,4,5,6,7 66
	;;
67) # node-67
	# ranks 536 to 543, of pipeline rank 8
	train 0,1,2,3,4,5,6,7 67
	;;
68) # node-68
	# ranks 544 to 551, of pipeline rank 8
	train 0,1,2,3,4,5,6,7 68
	;;
69) # node-69
	# ranks 552 to 559, of pipeline rank 8
	train 0,1,2,3,4,5,6,7 69
	;;
70) # node-70
	# ranks 560 to 567, of pipeline rank 8
	train 0,1,2,3,4,5,6,7 70
	;;
71) # node-71
	# ranks 568 to 575, of pipeline rank 8
	train 0,1,2,3,4,5,6,7 71
	;;
72) # node-72
	# ranks 576 to 583, of pipeline rank 9
	train 0,1,2,3,4,5,6,7 72
	;;
73) # node-73
	# ranks 584 to 591, of pipeline rank 9
	train 0,1,2,3,4,5,6,7 73
	;;
74) # node-74
	# ranks 592 to 599, of pipeline rank 9
	train 0,1,2,3,4,5,6,7 74
	;;
75) # node-75
	# ranks 600 to 607, of pipeline rank 9
	train 0,1,2,3,4,5,6,7 75
	;;
76) # node-76
	# ranks 608 to 615, of pipeline rank 9
	train 0,1,2,3,4,5,6,7 76
	;;
77) # node-77
	# ranks 616 to 623, of pipeline rank 9
	train 0,1,2,3,4,5,6,7 77
	;;
78) # node-78
	# ranks 624 to 631, of pipeline rank 9
	train 0,1,2,3,4,5,6,7 78
	;;
79) # node-79
	# ranks 632 to 639, of pipeline rank 9
	train 0,1,2,3,4,5,6,7 79
	;;
80) # node-80
	# ranks 640 to 647, of pipeline rank 10
	train 0,1,2,3,4,5,6,7 80
	;;
81) # node-81
	# ranks 648 to 655, of pipeline rank 10
	train 0,1,2,3,4,5,6,7 81
	;;
82) # node-82
	# ranks 656 to 663, of pipeline rank 10
	train 0,1,2,3,4,5,6,7 82
	;;
83) # node-83
	# ranks 664 to 671, of pipeline rank 10
	train 0,1,2,3,4,5,6,7 83
	;;
84) # node-84
	# ranks 672 to 679, of pipeline rank 10
	train 0,1,2,3,4,5,6,7 84
	;;
85) # node-85
	# ranks 680 to 687, of pipeline rank 10
	train 0,1,2,3,4,5,6,7 85
	;;
86) # node-86
	# ranks 688 to 695, of pipeline rank 10
	train 0,1,2,3,4,5,6,7 86
	;;
87) # node-87
	# ranks 696 to 703, of pipeline rank 10
	train 0,1,2,3,4,5,6,7 87
	;;
88) # node-88
	# ranks 704 to 711, of pipeline rank 11
	train 0,1,2,3,4,5,6,7 88
	;;
89) # node-89
	# ranks 712 to 719, of pipeline rank 11
	train 0,1,2,3,4,5,6,7 89
	;;
90) # node-90
	# ranks 720 to 727, of pipeline rank 11
	train 0,1,2,3,4,5,6,7 90
	;;
91) # node-91
	# ranks 728 to 735, of pipeline rank 11
	train 0,1,2,3,4,5,6,7 91
	;;
92) # node-92
	# ranks 736 to 743, of pipeline rank 11
	train 0,1,2,3,4,5,6,7 92
	;;
93) # node-93
	# ranks 744 to 751, of pipeline rank 11
	train 0,1,2,3,4,5,6,7 93
	;;
94) # node-94
	# ranks 752 to 759, of pipeline rank 11
	train 0,1,2,3,4,5,6,7 94
	;;
95) # node-95
	# ranks 760 to 767, of pipeline rank 11
	train 0,1,2,3,4,5,6,7 95
	;;
96) # node-96
	# ranks 768 to 775, of pipeline rank 12
	train 0,1,2,3,4,5,6,7 96
	;;
97) # node-97
	# ranks 776 to 783, of pipeline rank 12
	train 0,1,2,3,4,5,6,7 97
	;;
98) # node-98
	# ranks 784 to 791, of pipeline rank 12
	train 0,1,2,3,4,5,6,7 98
	;;
99) # node-99
	# ranks 792 to 799, of pipeline rank 12
	train 0,1,2,3,4,5,6,7 99
	;;
100) # node-100
	# ranks 800 to 807, of pipeline rank 12
	train 0,1,2,3,4,5,6,7 100
	;;
101) # node-101
	# ranks 808 to 815, of pipeline rank 12
	train 0,1,2,3,4,5,6,7 101
	;;
102) # node-102
	# ranks 816 to 823, of pipeline rank 12
	train 0,1,2,3,4,5,6,7 102
	;;
103) # node-103
	# ranks 824 to 831, of pipeline rank 12
	train 0,1,2,3,4,5,6,7 103
	;;
104) # node-104
	# ranks 832 to 839, of pipeline rank 13
	train 0,1,2,3,4,5,6,7 104
	;;
105) # node-105
	# ranks 840 to 847, of pipeline rank 13
	train 0,1,2,3,4,5,6,7 105
	;;
106) # node-106
	# ranks 848 to 855, of pipeline rank 13
	train 0,1,2,3,4,5,6,7 106
	;;
107) # node-107
	# ranks 856 to 863, of pipeline rank 13
	train 0,1,2,3,4,5,6,7 107
	;;
108) # node-108
	# ranks 864 to 871, of pipeline rank 13
	train 0,1,2,3,4,5,6,7 108
	;;
109) # node-109
	# ranks 872 to 879, of pipeline rank 13
	train 0,1,2,3,4,5,6,7 109
	;;
110) # node-110
	# ranks 880 to 887, of pipeline rank 13
	train 0,1,2,3,4,5,6,7 110
	;;
111) # node-111
	# ranks 888 to 895, of pipeline rank 13
	train 0,1,2,3,4,5,6,7 111
	;;
112) # node-112
	# ranks 896 to 903, of pipeline rank 14
	train 0,1,2,3,4,5,6,7 112
	;;
113) # node-113
	# ranks 904 to 911, of pipeline rank 14
	train 0,1,2,3,4,5,6,7 113
	;;
114) # node-114
	# ranks 912 to 919, of pipeline rank 14
	train 0,1,2,3,4,5,6,7 114
	;;
115) # node-115
	# ranks 920 to 927, of pipeline rank 14
	train 0,1,2,3,4,5,6,7 115
	;;
116) # node-116
	# ranks 928 to 935, of pipeline rank 14
	train 0,1,2,3,4,5,6,7 116
	;;
117) # node-117
	# ranks 936 to 943, of pipeline rank 14
	train 0,1,2,3,4,5,6,7 117
	;;
118) # node-118
	# ranks 944 to 951, of pipeline rank 14
	train 0,1,2,3,4,5,6,7 118
	;;
119) # node-119
	# ranks 952 to 959, of pipeline rank 14
	train 0,1,2,3,4,5,6,7 119
	;;
120) # node-120
	# ranks 960 to 967, of pipeline rank 15
	train 0,1,2,3,4,5,6,7 120
	;;
121) # node-121
	# ranks 968 to 975, of pipeline rank 15
	train 0,1,2,3,4,5,6,7 121
	;;
122) # node-122
	# ranks 976 to 983, of pipeline rank 15
	train 0,1,2,3,4,5,6,7 122
	;;
123) # node-123
	# ranks 984 to 991, of pipeline rank 15
	train 0,1,2,3,4,5,6,7 123
	;;
124) # node-124
	# ranks 992 to 999, of pipeline rank 15
	train 0,1,2,3,4,5,6,7 124
	;;
125) # node-125
	# ranks 1000 to 1007, of pipeline rank 15
	train 0,1,2,3,4,5,6,7 125
	;;
126) # node-126
	# ranks 1008 to 1015, of pipeline rank 15
	train 0,1,2,3,4,5,6,7 126
	;;
127) # node-127
	# ranks 1016 to 1023, of pipeline rank 15
	train 0,1,2,3,4,5,6,7 127
	;;
*)
	echo "no node $node: the plan has the nodes 0 to 127" >&2
	exit 2
	;;
esac
for _ in "${servers[@]}"; do wait -n; done
