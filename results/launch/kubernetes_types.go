package launch

// The parts of Kubernetes' objects that launch/kubernetes.yaml uses, in the words of its API:
// apps/v1, v1, and LeaderWorkerSet of leaderworkerset.x-k8s.io/v1. Tests decode what is
// written with the published types, and hold it against the published schema.

type kubeMeta struct {
	Name        string            `yaml:"name,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

type kubeObject struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   kubeMeta `yaml:"metadata"`
	Spec       any      `yaml:"spec"`
}

type kubeSelector struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

type kubeService struct {
	ClusterIP                string            `yaml:"clusterIP,omitempty"`
	PublishNotReadyAddresses bool              `yaml:"publishNotReadyAddresses,omitempty"`
	Selector                 map[string]string `yaml:"selector"`
	Ports                    []kubeServicePort `yaml:"ports"`
}

type kubeServicePort struct {
	Name       string `yaml:"name"`
	Port       int    `yaml:"port"`
	TargetPort string `yaml:"targetPort,omitempty"`
}

type kubeDeployment struct {
	Replicas int             `yaml:"replicas"`
	Selector kubeSelector    `yaml:"selector"`
	Strategy *kubeStrategy   `yaml:"strategy,omitempty"`
	Template kubePodTemplate `yaml:"template"`
}

type kubeStrategy struct {
	Type string `yaml:"type"`
}

type kubeStatefulSet struct {
	Replicas            int             `yaml:"replicas"`
	ServiceName         string          `yaml:"serviceName"`
	PodManagementPolicy string          `yaml:"podManagementPolicy"`
	Selector            kubeSelector    `yaml:"selector"`
	Template            kubePodTemplate `yaml:"template"`
}

type kubeLeaderWorkerSet struct {
	Replicas             int                `yaml:"replicas"`
	LeaderWorkerTemplate kubeLeaderTemplate `yaml:"leaderWorkerTemplate"`
}

type kubeLeaderTemplate struct {
	Size           int             `yaml:"size"`
	RestartPolicy  string          `yaml:"restartPolicy"`
	LeaderTemplate kubePodTemplate `yaml:"leaderTemplate"`
	WorkerTemplate kubePodTemplate `yaml:"workerTemplate"`
}

type kubePodTemplate struct {
	Metadata kubeMeta `yaml:"metadata"`
	Spec     kubePod  `yaml:"spec"`
}

type kubePod struct {
	NodeSelector map[string]string `yaml:"nodeSelector,omitempty"`
	Tolerations  []kubeToleration  `yaml:"tolerations,omitempty"`
	Containers   []kubeContainer   `yaml:"containers"`
	Volumes      []kubeVolume      `yaml:"volumes,omitempty"`
}

type kubeToleration struct {
	Key      string `yaml:"key"`
	Operator string `yaml:"operator"`
	Effect   string `yaml:"effect"`
}

type kubeContainer struct {
	Name           string            `yaml:"name"`
	Image          string            `yaml:"image"`
	Command        []string          `yaml:"command"`
	Args           []string          `yaml:"args"`
	Env            []kubeEnv         `yaml:"env,omitempty"`
	Ports          []kubePort        `yaml:"ports,omitempty"`
	Resources      kubeResources     `yaml:"resources"`
	StartupProbe   *kubeProbe        `yaml:"startupProbe,omitempty"`
	ReadinessProbe *kubeProbe        `yaml:"readinessProbe,omitempty"`
	VolumeMounts   []kubeVolumeMount `yaml:"volumeMounts,omitempty"`
}

type kubeEnv struct {
	Name      string       `yaml:"name"`
	Value     string       `yaml:"value,omitempty"`
	ValueFrom *kubeEnvFrom `yaml:"valueFrom,omitempty"`
}

type kubeEnvFrom struct {
	ConfigMapKeyRef *kubeKey   `yaml:"configMapKeyRef,omitempty"`
	SecretKeyRef    *kubeKey   `yaml:"secretKeyRef,omitempty"`
	FieldRef        *kubeField `yaml:"fieldRef,omitempty"`
}

type kubeKey struct {
	Name     string `yaml:"name"`
	Key      string `yaml:"key"`
	Optional bool   `yaml:"optional,omitempty"`
}

type kubeField struct {
	FieldPath string `yaml:"fieldPath"`
}

type kubePort struct {
	Name          string `yaml:"name"`
	ContainerPort int    `yaml:"containerPort"`
}

type kubeResources struct {
	Limits map[string]string `yaml:"limits"`
}

type kubeProbe struct {
	HTTPGet          kubeHTTPGet `yaml:"httpGet"`
	PeriodSeconds    int         `yaml:"periodSeconds"`
	FailureThreshold int         `yaml:"failureThreshold,omitempty"`
}

type kubeHTTPGet struct {
	Path string `yaml:"path"`
	Port string `yaml:"port"`
}

type kubeVolume struct {
	Name     string       `yaml:"name"`
	EmptyDir kubeEmptyDir `yaml:"emptyDir"`
}

type kubeEmptyDir struct {
	Medium    string `yaml:"medium"`
	SizeLimit string `yaml:"sizeLimit"`
}

type kubeVolumeMount struct {
	Name      string `yaml:"name"`
	MountPath string `yaml:"mountPath"`
}
