// Where jobs run and what they read and write: the cluster that job.yml names, the datastores that shared/domain/names.py names,
// and the rights of the cluster's identity. The datastores hold no credential: whoever reads through one needs a role of its own.

param location string
param tags object
param workspaceName string
param storageName string
param workspaceStorageName string
param containerRegistryName string
param identityName string
param vmSize string
param nodes int
param privateNetwork bool

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-09-01' existing = {
  name: workspaceName
}

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

var datastores = [
  {
    name: 'upkeep_accepted'
    container: 'accepted'
    description: 'Parts and manifests: what jobs read.'
  }
  {
    name: 'upkeep_runs'
    container: 'runs'
    description: 'Models and evaluations: what jobs write.'
  }
]

resource datastore 'Microsoft.MachineLearningServices/workspaces/datastores@2025-09-01' = [for each in datastores: {
  parent: workspace
  name: each.name
  properties: {
    datastoreType: 'AzureBlob'
    description: each.description
    accountName: storage.name
    containerName: each.container
    endpoint: environment().suffixes.storage
    protocol: 'https'
    subscriptionId: subscription().subscriptionId
    resourceGroup: resourceGroup().name
    serviceDataAccessAuthIdentity: 'None'
    credentials: {
      credentialsType: 'None'
    }
  }
}]

module rights 'training-roles.bicep' = {
  name: 'training-roles'
  params: {
    principalId: identity.properties.principalId
    storageName: storageName
    workspaceStorageName: workspaceStorageName
    containerRegistryName: containerRegistryName
  }
}

// The managed network knows the workspace's own storage by itself, Upkeep's account only by this rule.
resource reach 'Microsoft.MachineLearningServices/workspaces/outboundRules@2025-09-01' = if (privateNetwork) {
  parent: workspace
  name: 'upkeep-storage-blob'
  properties: {
    type: 'PrivateEndpoint'
    category: 'UserDefined'
    destination: {
      serviceResourceId: storage.id
      subresourceTarget: 'blob'
      sparkEnabled: false
    }
  }
}

resource cluster 'Microsoft.MachineLearningServices/workspaces/computes@2025-09-01' = {
  parent: workspace
  name: 'cpu-cluster'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    computeType: 'AmlCompute'
    disableLocalAuth: true
    properties: {
      osType: 'Linux'
      vmSize: vmSize
      vmPriority: 'Dedicated'
      enableNodePublicIp: !privateNetwork
      remoteLoginPortPublicAccess: 'Disabled'
      scaleSettings: {
        minNodeCount: 0
        maxNodeCount: nodes
        // Long enough for a second attempt to find the node warm.
        nodeIdleTimeBeforeScaleDown: 'PT5M'
      }
    }
  }
  dependsOn: [
    reach
    rights
  ]
}
